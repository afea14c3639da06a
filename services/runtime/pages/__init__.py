"""Pages for people: what every service's pages have in common, so that a service brings only its own templates and routes.

What is guaranteed for each page made here: it works without JavaScript and loads nothing from elsewhere (the content security policy says
so, and allows no inline script); it is German or English as the visitor chose; a form that this service did not give out to this
visitor is not read; a form sent twice acts once, by the key in it; what goes wrong is told on a page too, in whole sentences.
"""

from services.runtime.pages.addresses import PREFIX
from services.runtime.pages.forms import Form, new_key, read_form
from services.runtime.pages.local_sign_in import SampleUser
from services.runtime.pages.pages import NavEntry, Pages, Visitor, page_for, page_for_anybody
from services.runtime.pages.rendering import PAGE_MESSAGES, PAGE_TEMPLATES, Renderer
from services.runtime.pages.session import Session, Sessions
from services.runtime.pages.signing_in import common_routes, not_found_route
from services.runtime.pages.uploads import Upload, read_upload

__all__ = [
    "PAGE_MESSAGES",
    "PAGE_TEMPLATES",
    "PREFIX",
    "Form",
    "NavEntry",
    "Pages",
    "Renderer",
    "SampleUser",
    "Session",
    "Sessions",
    "Upload",
    "Visitor",
    "common_routes",
    "new_key",
    "not_found_route",
    "page_for",
    "page_for_anybody",
    "read_form",
    "read_upload",
]
