"""substrate-interface, unmodified.

    python py_substrate.py WS_URL
"""
import sys

from substrateinterface import Keypair, SubstrateInterface

chain = SubstrateInterface(url=sys.argv[1])
bob, alice = (Keypair.create_from_uri(uri) for uri in ("//Bob", "//Alice"))


def free(who):
    return chain.query("System", "Account", [who.ss58_address]).value["data"]["free"]


def send(amount):
    call = chain.compose_call("Balances", "transfer_keep_alive", {"dest": alice.ss58_address, "value": amount})
    return chain.submit_extrinsic(chain.create_signed_extrinsic(call, bob), wait_for_finalization=True)


assert chain.properties == {"ss58Format": 42, "tokenDecimals": 7, "tokenSymbol": "CNY"}, chain.properties
assert chain.get_constant("System", "BlockHashCount").value == 4096

before = free(alice)
sent = send(5)
assert sent.is_success, sent.error_message
assert [event.value["event_id"] for event in sent.triggered_events] == ["Transfer", "ExtrinsicSuccess"]
assert free(alice) == before + 5

failed = send(10**30)
assert not failed.is_success
assert failed.error_message["name"] == "InsufficientBalance", failed.error_message

entities = list(chain.query_map("Registry", "Entities"))
assert len(entities) >= 2
print(f"  substrate-interface: {len(entities)} entities, a transfer in {sent.block_hash}")
