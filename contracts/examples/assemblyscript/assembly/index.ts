// A register of connections: who has claimed one owns it until it is given away.
//
//   new()                                                  constructor
//   claim(id: [u8; 32]) -> Result<(), Error>               by anybody, once
//   give(id: [u8; 32], to: AccountId) -> Result<(), Error> by the owner
//   owner_of(id: [u8; 32]) -> Option<AccountId>
//
// A selector is the start of BLAKE2b-256 of the name. Arguments and answers are SCALE, inside ink!'s
// Result<T, LangError>. An error reverts, and so does input that is no message, with LangError 1.
//
// Every buffer is static: the garbage collector of the language would be most of the contract.
import { caller, deposit_event, get_storage, input, seal_return, set_storage, value_transferred } from "./seal";

const NEW: u32 = 0x5e9dae9b;
const CLAIM: u32 = 0x3f8088b3;
const GIVE: u32 = 0x8e44f914;
const OWNER_OF: u32 = 0x1e0c7299;

const TAKEN: u8 = 0;
const NOT_THE_OWNER: u8 = 1;
const WRONG_VALUE: u8 = 2;

const ACCOUNT: u32 = 32;
const MONEY: u32 = 16;

/** The input: a selector, an id, an account. */
const MESSAGE = memory.data(68);
const ID = MESSAGE + 4;
const TO = ID + ACCOUNT;
/** Who calls, and what came along. */
const CALLER = memory.data(32);
const VALUE = memory.data(16);
/** An answer: "ok", "some", the owner as stored. Without its first byte it is an Option<AccountId>. */
const ANSWER = memory.data(34);
const OPTION = ANSWER + 1;
const OWNER = ANSWER + 2;
/** A list of two topics. */
const TOPICS = memory.data(65);
/** In: the size of a buffer; out: of a value. */
const LENGTH = memory.data(4, 4);

function sized(bytes: u32): usize {
  store<u32>(LENGTH, bytes);
  return LENGTH;
}

/** Ends the call with Ok(Ok(())). */
function done(): void {
  store<u16>(ANSWER, 0);
  seal_return(0, ANSWER, 2);
}

/** Ends the call with Ok(Err(error)), reverted. */
function refuse(error: u8): void {
  store<u16>(ANSWER, 0x0100);
  store<u8>(ANSWER, error, 2);
  seal_return(1, ANSWER, 3);
}

/** Ends the call with Err(LangError), reverted. */
function notUnderstood(): void {
  store<u16>(ANSWER, 0x0101);
  seal_return(1, ANSWER, 2);
}

/** Reads the input; how long it is. */
function read(): u32 {
  input(MESSAGE, sized(68));
  return load<u32>(LENGTH);
}

/** The contract takes no money. */
function refuseMoney(): void {
  value_transferred(VALUE, sized(MONEY));
  if ((load<u64>(VALUE) | load<u64>(VALUE, 8)) != 0) refuse(WRONG_VALUE);
}

/** Reads who owns the message's id into ANSWER; whether anybody does. */
function isOwned(): bool {
  const found = get_storage(ID, ACCOUNT, OWNER, sized(ACCOUNT)) == 0;
  store<u8>(OPTION, found ? 1 : 0);
  return found;
}

function same(one: usize, other: usize): bool {
  for (let at: u32 = 0; at < ACCOUNT; at += 8) {
    if (load<u64>(one + at) != load<u64>(other + at)) return false;
  }
  return true;
}

function copy(to: usize, from: usize): void {
  for (let at: u32 = 0; at < ACCOUNT; at += 8) store<u64>(to + at, load<u64>(from + at));
}

/** Makes `owner` the id's. The event: id and new owner as topics, the old owner if there was one. */
function enter(owner: usize): void {
  set_storage(ID, ACCOUNT, owner, ACCOUNT);
  store<u8>(TOPICS, 2 << 2);
  copy(TOPICS + 1, ID);
  copy(TOPICS + 1 + ACCOUNT, owner);
  deposit_event(TOPICS, 65, OPTION, load<u8>(OPTION) ? 33 : 1);
  done();
}

function claim(): void {
  if (isOwned()) refuse(TAKEN);
  caller(CALLER, sized(ACCOUNT));
  enter(CALLER);
}

function give(): void {
  caller(CALLER, sized(ACCOUNT));
  if (!isOwned() || !same(OWNER, CALLER)) refuse(NOT_THE_OWNER);
  enter(TO);
}

function ownerOf(): void {
  const length: u32 = isOwned() ? 34 : 2;
  store<u8>(ANSWER, 0);
  seal_return(0, ANSWER, length);
}

export function deploy(): void {
  if (read() != 4 || load<u32>(MESSAGE) != NEW) notUnderstood();
  refuseMoney();
  done();
}

export function call(): void {
  const length = read();
  const selector = load<u32>(MESSAGE);
  refuseMoney();
  if (selector == CLAIM && length == 36) claim();
  else if (selector == GIVE && length == 68) give();
  else if (selector == OWNER_OF && length == 36) ownerOf();
  else notUnderstood();
}
