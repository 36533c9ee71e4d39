// @polkadot/api, unmodified: what a wallet or an explorer does first on a new chain.
//
//   node polkadot.mjs WS_URL
import assert from 'node:assert/strict';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { hexToU8a, u8aToHex } from '@polkadot/util';

const provider = new WsProvider(process.argv[2]);
const api = await ApiPromise.create({ provider, noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const [alice, bob] = ['//Alice', '//Bob'].map((uri) => keyring.addFromUri(uri));

/** Sign, submit and wait until it is final; gives the last status. */
function follow(call, signer, options = {}) {
  return new Promise((resolve, reject) => {
    call
      .signAndSend(signer, options, (result) => {
        if (result.status.isFinalized) resolve(result);
        else if (result.isError) reject(new Error(result.status.toString()));
      })
      .catch(reject);
  });
}

const names = (result) => result.events.map(({ event }) => `${event.section}.${event.method}`);
const free = async (who) => (await api.query.system.account(who.address)).data.free.toBigInt();

// The chain and its constants.
assert.equal(api.runtimeVersion.specName.toString(), 'busbar');
assert.equal(api.consts.system.blockHashCount.toNumber(), 4096);
assert.equal(api.consts.balances.existentialDeposit.toBigInt(), 1n);
assert.deepEqual(api.registry.chainTokens, ['CNY']);
assert.deepEqual(api.registry.chainDecimals, [7]);
const issuance = (await api.query.balances.totalIssuance()).toBigInt();
assert.ok(issuance > 0n);

// A transfer, its fee, its events, and both balances; subscribers hear of it.
const before = [await free(alice), await free(bob)];
const heard = [];
const hush = await api.query.system.account(bob.address, ({ data }) => heard.push(data.free.toBigInt()));
const heads = [];
const unhead = await api.rpc.chain.subscribeFinalizedHeads((header) => heads.push(header.number.toNumber()));
const transfer = api.tx.balances.transferKeepAlive(bob.address, 12_345);
const { partialFee, weight } = await transfer.paymentInfo(alice);
assert.equal(partialFee.toBigInt(), 0n, 'within the quota');
assert.ok(weight.refTime.toNumber() > 0);
const sent = await follow(transfer, alice);
assert.deepEqual(names(sent), ['balances.Transfer', 'system.ExtrinsicSuccess']);
assert.deepEqual([await free(alice), await free(bob)], [before[0] - 12_345n, before[1] + 12_345n]);
const block = await api.rpc.chain.getBlock(sent.status.asFinalized);
assert.ok(block.block.extrinsics.some((one) => one.hash.eq(sent.txHash)), 'its block has it');
assert.equal(block.block.extrinsics[0].method.section, 'timestamp');

// A call that fails, by name, and what the receipt of an included failure says.
const failed = await follow(api.tx.balances.transferKeepAlive(bob.address, issuance * 2n), alice);
const { section, name, docs } = api.registry.findMetaError(failed.dispatchError.asModule);
assert.deepEqual([section, name], ['balances', 'InsufficientBalance']);
assert.ok(docs.join(' ').length > 0, 'documented');

// 400 bytes: their hash is signed. And a signer that knows no metadata: it signs the bytes that it is given.
const remark = api.tx.system.remarkWithEvent(u8aToHex(new Uint8Array(400).fill(7)));
assert.deepEqual(names(await follow(remark, alice)), ['system.Remarked', 'system.ExtrinsicSuccess']);
const signRaw = async ({ data }) => ({ id: 1, signature: u8aToHex(alice.sign(hexToU8a(data), { withType: true })) });
const extension = { signer: { signRaw } };
const one = api.tx.balances.transferKeepAlive(bob.address, 1);
assert.deepEqual(names(await follow(one, alice.address, extension)), ['balances.Transfer', 'system.ExtrinsicSuccess']);

// A map, whole, and our own runtime API.
const entities = await api.query.registry.entities.entries();
assert.ok(entities.length >= 2);
for (const [key, entity] of entities) {
  assert.equal(key.args[0].toNumber() >= 0, true);
  const bound = await api.call.marketsApi.entityOf(entity.unwrap().owner);
  assert.equal(bound.unwrap().toNumber(), key.args[0].toNumber());
}
assert.ok((await api.call.marketsApi.slotState(99, 1)).isNone);

// Every stored key but the well-known ones is one that the metadata describes, and every value decodes.
const items = new Map();
for (const pallet of Object.values(api.query)) {
  for (const item of Object.values(pallet)) {
    if (item.keyPrefix) items.set(u8aToHex(hexToU8a(item.keyPrefix()).subarray(0, 32)), item);
  }
}
let [start, decoded] = ['0x', 0];
for (;;) {
  const page = await api.rpc.state.getKeysPaged('0x', 500, start === '0x' ? undefined : start);
  for (const key of page) {
    if (key.toHex().startsWith('0x3a')) continue; // well-known keys begin with a colon
    const item = items.get(key.toHex().slice(0, 66));
    assert.ok(item, `no item for ${key.toHex()}`);
    const raw = (await api.rpc.state.getStorage(key)).unwrap().toU8a(true);
    const { type } = item.creator.meta;
    const id = type.isPlain ? type.asPlain : type.asMap.value;
    const value = api.registry.createTypeUnsafe(api.registry.createLookupType(id), [raw]);
    assert.equal(u8aToHex(value.toU8a()), u8aToHex(raw), `${item.creator.section}.${item.creator.method}`);
    decoded += 1;
  }
  if (page.length < 500) break;
  start = page.at(-1).toHex();
}
assert.ok(decoded > 20, `${decoded} keys`);

// Refusals have the codes of Substrate's nodes, and the node stays up.
const codes = [
  [() => provider.send('author_submitExtrinsic', ['0x00']), 1001],
  [() => api.tx.balances.transferKeepAlive(bob.address, 1).signAndSend(alice, { nonce: 0 }), 1010],
  [() => api.tx.balances.transferKeepAlive(bob.address, 1).signAndSend(keyring.addFromUri('//Nobody')), 1010],
  [() => provider.send('state_getStorage', ['0x00', `0x${'11'.repeat(32)}`]), 4003],
  [() => provider.send('state_call', ['Core_none', '0x']), 4003],
  [() => provider.send('state_setStorage', []), -32601],
  [() => provider.send('state_getStorage', [7]), -32602],
];
for (const [ask, code] of codes) {
  await assert.rejects(ask, (error) => error.code === code, `${ask}`);
}

hush();
unhead();
assert.equal(heard.at(0), before[1]);
assert.ok(heard.includes(before[1] + 12_345n), 'the subscriber heard of the transfer');
assert.ok(heads.length >= 2 && heads.every((number, at) => at === 0 || number === heads[at - 1] + 1), `${heads}`);
await api.disconnect();
console.log(`  @polkadot/api: ${decoded} stored values, ${heads.length} heads in a row`);
process.exit(0);
