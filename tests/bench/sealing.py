"""What keeping 500 people costs: our own envelope encryption beside MongoDB's client-side encryption.

    python -m tests.bench.sealing

Both make a data key for each person, encrypt the person with it, and store documents and keys on the embedded database. MongoDB's way needs
the package `pymongocrypt`, which the project does not install (docs/decisions/person-encryption.md); without it only ours is measured.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from bson.codec_options import CodecOptions
from pymongo import InsertOne, MongoClient
from pymongo.encryption import Algorithm, ClientEncryption

from deploy.embedded.engines import Engines
from services.intake.facts import KeepPerson
from services.intake.sealing import Keyring, Person
from services.intake.store import writes

PEOPLE: Final = 500
RUNS: Final = 3
COUNTY: Final = "03459"
ONE: Final = Person(
    family_name="Łączak", given_names="Żaneta", birth_date="1990-05-17", phone="0541 000000", email="z@example.org"
)


def ours(client: MongoClient[Any], name: str) -> None:
    """Seal everybody in memory, then one transaction with two bulk inserts: what intake does."""
    keys = Keyring(os.urandom(32)).of(COUNTY)
    cases = [str(uuid.uuid4()) for _ in range(PEOPLE)]
    effects = [KeepPerson(case, keys.seal(case, ONE), is_new=True) for case in cases]
    operations: dict[str, list[Any]] = {}
    for write in writes(COUNTY, effects):
        operations.setdefault(write.collection, []).append(write.operation)
    with client.start_session() as session, session.start_transaction():
        for collection, bulk in operations.items():
            client[name][collection].bulk_write(bulk, session=session)


def mongodbs(client: MongoClient[Any], name: str, at_once: int) -> None:
    """A data key and an explicit encryption for each person, then one transaction with the documents."""
    providers = {"local": {"key": os.urandom(96)}}
    with ClientEncryption(providers, f"{name}.vault", client, CodecOptions()) as encryption:

        def seal(case: str) -> dict[str, Any]:
            key = encryption.create_data_key("local")
            document = ONE.model_dump()
            sealed = encryption.encrypt(document, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random, key_id=key)
            return {"_id": case, "county": COUNTY, "key": key, "document": sealed}

        with ThreadPoolExecutor(at_once) as threads:
            documents = list(threads.map(seal, [str(uuid.uuid4()) for _ in range(PEOPLE)]))
    with client.start_session() as session, session.start_transaction():
        client[name]["people"].bulk_write([InsertOne(document) for document in documents], session=session)


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def main() -> None:
    has_libmongocrypt = importlib.util.find_spec("pymongocrypt") is not None
    async with Engines(Path(tempfile.mkdtemp())) as engines:
        client: MongoClient[Any] = MongoClient(engines.database_url)
        for run in range(RUNS):
            name = f"run{run}"
            for collection in ("people", "person_keys", "vault"):
                client[name].create_collection(collection)
            print(f"ours: {seconds(lambda: ours(client, name)) * 1000:8.0f} ms for {PEOPLE} people")  # noqa: B023
            if has_libmongocrypt:
                for at_once in (1, 16):
                    spent = seconds(lambda: mongodbs(client, name, at_once))  # noqa: B023
                    print(f"MongoDB's, {at_once:2} at once: {spent * 1000:8.0f} ms")
                    client[name]["vault"].delete_many({})
        client.close()


if __name__ == "__main__":
    asyncio.run(main())
