"""The `wegenetz` command. Reads the command line, and hands on; what a command needs is imported when it is given.

Exit codes: 0 done, 1 it could not be done (a sentence says why), 2 the command or a setting was not understood.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.refusals import CannotDo, NotUnderstood

DONE: Final = 0
FAILED: Final = 1
NOT_UNDERSTOOD: Final = 2

SERVICES: Final = ("intake", "profiling", "referral", "reporting", "operations")
DATA: Final = Path("var")

Options = argparse.Namespace
if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. A mistake of ours keeps its traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["demo"]:  # it reads its own options
        return import_module("simulation.demo").main(given[1:])
    options = command_line().parse_args(given)
    try:
        code = options.act(options)
    except NotUnderstood as refusal:
        print(refusal, file=sys.stderr)
        return NOT_UNDERSTOOD
    except CannotDo as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    return code or DONE


# --- what each command does ---------------------------------------------------------------------------------------------


def _serve(options: Options) -> int | None:
    if options.service not in SERVICES:
        raise NotUnderstood(f"There is no service {options.service!r}. There are: {', '.join(SERVICES)}.")
    from services.runtime.collector import starting

    with starting():
        from services.runtime.settings import Settings
        from services.runtime.settings_problems import BadSettings

        service = import_module(f"services.{options.service}.service")
    try:
        settings = Settings.load(service=options.service, needs=getattr(service, "NEEDS", ()))
    except BadSettings as problem:
        raise NotUnderstood(str(problem)) from None
    return service.main(settings)


def _up(options: Options) -> None:
    from rich.console import Console

    from deploy.embedded.folder import Choices
    from deploy.embedded.up import up

    counties = tuple(options.county) if options.county else None
    choices = Choices(counties, options.clock, options.clock_start, options.ids_seed, options.broker, options.nodes)
    up(options.data, choices, Console())


def _topics_apply(options: Options) -> None:
    from deploy.embedded.folder import read_running
    from deploy.topics import apply_by_hand, ask_person
    from services.runtime.bus import TopicRefused
    from services.runtime.errors import Transient

    running = read_running(options.data)
    bootstrap = options.kafka or (running.broker if running else None)
    if bootstrap is None:
        raise CannotDo(f"Nothing is running with the data in {options.data}/. Name the broker: --kafka host:port")
    library = logging.getLogger("aiokafka")
    loud, library.disabled = library.disabled, True  # what it has to say is said below
    agree = (lambda: False) if options.dry_run else (lambda: True) if options.yes else ask_person
    try:
        done = asyncio.run(apply_by_hand(bootstrap, profile=options.profile, tell=print, agree=agree))
    except Transient:
        raise CannotDo(f"The broker at {bootstrap} does not answer.") from None
    except TopicRefused as refused:
        raise CannotDo(str(refused)) from None
    finally:
        library.disabled = loud
    print("Done." if done else "Nothing was changed.")


def _operate(act: str) -> Callable[[Options], None]:
    """A command that `deploy.operating` carries out, by its name there."""

    def run(options: Options) -> None:
        from rich.console import Console

        from deploy import operating

        operator = operating.Operator(options.data, options.county)
        given = {name: value for name, value in vars(options).items() if name not in ("act", "county", "data")}
        getattr(operating, act)(operator, console=Console(), **given)

    return run


def _trace(options: Options) -> int:
    from rich.console import Console

    from deploy.embedded.folder import DataFolder
    from deploy.traces import print_trace

    return DONE if print_trace(DataFolder(options.data).traces, options.case, Console()) else FAILED


def _token(options: Options) -> None:
    from deploy.operating import issue_token
    from schemas.codes import Role

    if options.role not in set(Role):
        raise NotUnderstood(f"There is no role {options.role!r}. There are: {', '.join(Role)}.")
    claims = {name: getattr(options, name) for name in ("office", "site", "organisation")}
    who = {"county": options.county, "subject": options.subject, "ttl": 60 * options.minutes}
    print(issue_token(options.data, role=options.role, **who, **claims))


def _match(options: Options) -> None:
    from services.referral.assignment import TooLarge
    from services.referral.instance import BadInstance, read, solve

    text = _bytes_of(options.file)
    try:
        print(solve(read(text)).model_dump_json(indent=2))
    except (BadInstance, TooLarge) as error:
        raise CannotDo(f"{options.file} is no round that can be solved:\n{error}") from None


def _perturb(options: Options) -> int | None:
    from services.reporting.disclosure.method import Method, NoSuchTable
    from services.reporting.disclosure.perturbing import BadFile, perturb

    try:
        perturbed = perturb(
            _bytes_of(options.file),
            _bytes_of(options.secret_file),
            Method(options.most, options.variance, options.never_to),
        )
    except (BadFile, NoSuchTable) as error:
        raise CannotDo(f"{options.file}: {error}") from None
    print(perturbed.text, end="")
    for sentence in perturbed.refused:
        print(sentence, file=sys.stderr)
    return FAILED if perturbed.refused else None


def _bytes_of(file: str) -> bytes:
    """The content of a file, or of the input for ``-``."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CannotDo(f"{file} cannot be read: {error.strerror}.") from None


# --- how each command is written ----------------------------------------------------------------------------------------


def command_line() -> argparse.ArgumentParser:
    """Every command, how it is written and what acts on it."""
    parser = argparse.ArgumentParser(
        prog="wegenetz", description="From the registry office to the right partner: start it, watch it, look after it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="a year of arrivals passes through the system while you watch")
    demo.set_defaults(act=None)

    up = _command(commands, "up", _up, "start broker, database and services, until Ctrl-C")
    up.add_argument("--county", action="append", metavar="KEY", help="five digits; may be given several times (03459)")
    up.add_argument(
        "--clock", choices=("real", "virtual"), help="business time: the world's (default), or moved by hand"
    )
    up.add_argument(
        "--clock-start", metavar="INSTANT", help="first instant of a virtual clock: 2016-01-01T00:00:00+01:00"
    )
    up.add_argument("--ids-seed", metavar="TEXT", help="make ids repeatable, for simulations")

    up.add_argument(
        "--broker", choices=("embedded", "kafka"), help="kafka: Apache Kafka, which needs Java 17 and Maven"
    )
    up.add_argument("--nodes", type=int, choices=(1, 3), help="how many nodes Apache Kafka has (default: 1)")

    serve = _command(commands, "serve", _serve, "run one service in the foreground, with settings from the environment")
    serve.add_argument("service", metavar="SERVICE", help=", ".join(SERVICES))

    topics = commands.add_parser("topics", help="create topics, or send a history again")
    topics_commands = topics.add_subparsers(required=True, metavar="apply|refill")
    apply = _command(
        topics_commands, "apply", _topics_apply, "create the topics that are missing, and put others right"
    )
    apply.add_argument("--kafka", metavar="HOST:PORT", help="the broker (default: that of the running copy)")
    apply.add_argument(
        "--profile", choices=("embedded", "production"), default="embedded", help="how many copies to keep"
    )
    apply.add_argument("--dry-run", action="store_true", help="only show the plan")
    apply.add_argument("--yes", action="store_true", help="carry the plan out without asking")
    refill = _operation(topics_commands, "refill", "refill_topics", "let services send their whole history again")
    refill.add_argument("service", nargs="?", metavar="SERVICE", help="only this one (default: all)")

    letters = commands.add_parser(
        "dead-letters", help="records that could not be applied: look, send in again, give up"
    )
    letter_commands = letters.add_subparsers(required=True, metavar="list|show|replay|discard")
    listing = _operation(letter_commands, "list", "list_dead_letters", "all that are open")
    show = _operation(letter_commands, "show", "show_dead_letter", "one, with its bytes")
    replay = _operation(
        letter_commands, "replay", "replay_dead_letter", "try to apply it again, and what waits behind it"
    )
    discard = _operation(
        letter_commands, "discard", "discard_dead_letter", "give it up and go on behind it; is recorded"
    )
    for command in (show, replay, discard):
        command.add_argument("beginning", metavar="ID", help="its id, or the beginning of it")
    for command in (listing, show, replay, discard):
        command.add_argument("--service", metavar="SERVICE", help="only of this service")
    replay.add_argument("--value", type=Path, metavar="FILE", help="send this text instead of its value")
    replay.add_argument(
        "--header", action="append", metavar="NAME=VALUE", help="with this header; may be given several times"
    )
    discard.add_argument("--reason", required=True, help="why it may be given up; is kept with it")

    rebuild = commands.add_parser("rebuild", help="compute anew what follows from what is kept")
    rebuild_commands = rebuild.add_subparsers(required=True, metavar="reporting")
    _operation(rebuild_commands, "reporting", "rebuild_reporting", "count anew from the facts of each person")

    trace = _command(commands, "trace", _trace, "one person's way through all services, step by step")
    trace.add_argument("case", metavar="CASE", help="the case's id, that of one of its referrals, or a trace's")

    _of_files(commands)

    token = _command(commands, "token", _token, "print a token for the APIs (embedded only)")
    token.add_argument("--role", required=True, metavar="ROLE", help="clerk, counsellor, partner, operator, …")
    token.add_argument("--county", metavar="KEY", help="five digits (default: the county that the data was begun with)")
    token.add_argument("--subject", default="somebody", metavar="NAME", help="who the token is for, as audits show it")
    token.add_argument("--office", metavar="KEY", help="of a clerk")
    token.add_argument("--site", metavar="KEY", help="of a counsellor")
    token.add_argument("--organisation", metavar="KEY", help="of a partner")
    token.add_argument("--minutes", type=int, default=60, help="how long it is valid (default: 60)")
    return parser


def _of_files(commands: _Commands) -> None:
    """What anybody can do with a file of their own, without anything running."""
    purpose = "solve one round of matching from a JSON file, and print who gets which place"
    match = commands.add_parser("match", help=purpose, description=f"{purpose[:1].upper()}{purpose[1:]}.")
    match.set_defaults(act=_match)
    match.add_argument(
        "file",
        metavar="FILE",
        help="people, offers and pairs (docs/architecture/referral.md); - reads them from the input",
    )

    purpose = "change the counts of a CSV as they would be changed before they are published"
    perturb = commands.add_parser("perturb", help=purpose, description=f"{purpose[:1].upper()}{purpose[1:]}.")
    perturb.set_defaults(act=_perturb)
    perturb.add_argument(
        "file", metavar="FILE", help="counts and key sums (docs/architecture/disclosure-control.md); - reads the input"
    )
    perturb.add_argument("--secret-file", required=True, metavar="FILE", help="whose bytes are the secret")
    perturb.add_argument("--most", type=int, default=7, metavar="D", help="the largest change (7)")
    perturb.add_argument("--variance", type=float, default=4.0, metavar="V", help="of the changes (4)")
    perturb.add_argument("--never-to", type=int, default=2, metavar="JS", help="the largest figure never shown (2)")


def _command(
    commands: _Commands, name: str, act: Callable[[Options], int | None], purpose: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=purpose, description=purpose[:1].upper() + purpose[1:] + ".")
    command.set_defaults(act=act)
    command.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="the data folder (default: var)")
    return command


def _operation(commands: _Commands, name: str, act: str, purpose: str) -> argparse.ArgumentParser:
    command = _command(commands, name, _operate(act), purpose)
    command.add_argument(
        "--county", metavar="KEY", help="act for this county (default: the one that the data was begun with)"
    )
    return command


if __name__ == "__main__":
    sys.exit(main())
