// polkadot-api, unmodified.
//
//   node papi.mjs WS_URL
import assert from 'node:assert/strict';
import { Keyring } from '@polkadot/api';
import { createClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import WebSocket from 'ws';

const client = createClient(getWsProvider(process.argv[2], { websocketClass: WebSocket }));
const api = client.getUnsafeApi();
const [bob, alice] = ['//Bob', '//Alice'].map((uri) => new Keyring({ type: 'sr25519' }).addFromUri(uri));
const signer = getPolkadotSigner(bob.publicKey, 'Sr25519', (message) => bob.sign(message));

assert.equal((await api.constants.System.Version()).spec_name, 'busbar');
const before = (await api.query.System.Account.getValue(alice.address)).data.free;
const transfer = (value) => api.tx.Balances.transfer_keep_alive({ dest: { type: 'Id', value: alice.address }, value });

const sent = await transfer(77n).signAndSubmit(signer);
assert.equal(sent.ok, true);
assert.deepEqual(
  sent.events.map((event) => `${event.type}.${event.value.type}`),
  ['Balances.Transfer', 'System.ExtrinsicSuccess'],
);
assert.equal((await api.query.System.Account.getValue(alice.address)).data.free, before + 77n);

const failed = await transfer(10n ** 30n).signAndSubmit(signer);
assert.equal(failed.ok, false);
assert.deepEqual(
  [failed.dispatchError.value.type, failed.dispatchError.value.value.type],
  ['Balances', 'InsufficientBalance'],
);

const entities = await api.query.Registry.Entities.getEntries();
assert.ok(entities.length >= 2);
assert.equal(await api.apis.MarketsApi.entity_of(entities[0].value.owner), entities[0].keyArgs[0]);
console.log(`  polkadot-api: ${entities.length} entities, a transfer in block ${sent.block.number}`);
client.destroy();
process.exit(0);
