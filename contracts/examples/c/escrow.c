// An escrow for one sale. The buyer deploys it with the price; it pays the seller when the buyer says so, or the
// buyer when the seller does.
//
//   new(seller: AccountId) -> Result<(), Error>   constructor, takes the price
//   release() -> Result<(), Error>                by the buyer: the seller is paid
//   refund() -> Result<(), Error>                 by the seller: the buyer is paid back
//   deal() -> Deal                                buyer, seller, price: u128, phase: u8
//
// A selector is the start of BLAKE2b-256 of the name. Arguments and answers are SCALE, inside ink!'s
// Result<T, LangError>. An error reverts, and so does input that is no message, with LangError 1.
#include "seal.h"

enum selector { NEW = 0x5e9dae9b, RELEASE = 0x52e12b3f, REFUND = 0x4174a4a5, DEAL = 0x01833d19 };
enum phase { OPEN, RELEASED, REFUNDED };
enum error { WRONG_CALLER, CLOSED, WRONG_VALUE, TRANSFER_FAILED };

typedef struct {
    uint8_t bytes[32];
} account;

// The sale. `deal` is the stored value. With the byte before it, it is an answer, or begins with a list of two topics;
// its end is the event's data. So nothing is ever copied.
static struct {
    uint8_t prefix;
    struct {
        account buyer, seller;
        uint8_t price[16];
        uint8_t phase;
    } deal;
} sale;
enum { ANSWER_OK = 0, TWO_TOPICS = 2 << 2 };
_Static_assert(sizeof sale == 1 + 32 + 32 + 16 + 1, "no padding");

static struct {
    uint32_t selector;
    account seller;
} message;
enum { SELECTOR_ONLY = sizeof message.selector };

static const uint8_t KEY[] = {'d', 'e', 'a', 'l'};

static _Noreturn void refuse(enum error error) {
    const uint8_t answer[] = {0, 1, (uint8_t)error};
    seal_return(1, answer, sizeof answer);
}

static _Noreturn void not_understood(void) {
    const uint8_t answer[] = {1, 1};
    seal_return(1, answer, sizeof answer);
}

static _Noreturn void done(void) {
    const uint8_t answer[] = {0, 0};
    seal_return(0, answer, sizeof answer);
}

static uint32_t read_message(void) {
    uint32_t length = sizeof message;
    seal_input(&message, &length);
    return length;
}

static account caller(void) {
    account who;
    uint32_t length = sizeof who;
    seal_caller(&who, &length);
    return who;
}

// Leaves what came with the call in `value`; whether that is anything.
static int paid(uint8_t value[16]) {
    uint32_t length = 16;
    seal_value_transferred(value, &length);
    uint8_t any = 0;
    for (int at = 0; at < 16; at++) any |= value[at];
    return any != 0;
}

static int same(const account *one, const account *other) {
    uint8_t difference = 0;
    for (int at = 0; at < 32; at++) difference |= one->bytes[at] ^ other->bytes[at];
    return difference == 0;
}

static void store(void) {
    seal_set_storage(KEY, sizeof KEY, &sale.deal, sizeof sale.deal);
}

// Pays `to` because `by` says so.
static _Noreturn void close(const account *by, const account *to, enum phase phase) {
    const account who = caller();
    if (!same(&who, by)) refuse(WRONG_CALLER);
    if (sale.deal.phase != OPEN) refuse(CLOSED);
    sale.deal.phase = (uint8_t)phase;
    store();
    if (seal_transfer(to, sizeof *to, sale.deal.price, sizeof sale.deal.price) != 0) refuse(TRANSFER_FAILED);
    sale.prefix = TWO_TOPICS;
    seal_deposit_event(&sale, 1 + 2 * sizeof(account), sale.deal.price, sizeof sale.deal.price + 1);
    done();
}

__attribute__((export_name("deploy"))) void deploy(void) {
    if (read_message() != sizeof message || message.selector != NEW) not_understood();
    if (!paid(sale.deal.price)) refuse(WRONG_VALUE);
    sale.deal.buyer = caller();
    sale.deal.seller = message.seller;
    sale.deal.phase = OPEN;
    store();
    done();
}

__attribute__((export_name("call"))) void call(void) {
    if (read_message() != SELECTOR_ONLY) not_understood();
    uint8_t value[16];
    if (paid(value)) refuse(WRONG_VALUE);
    uint32_t length = sizeof sale.deal;
    seal_get_storage(KEY, sizeof KEY, &sale.deal, &length);
    switch (message.selector) {
    case RELEASE:
        close(&sale.deal.buyer, &sale.deal.seller, RELEASED);
    case REFUND:
        close(&sale.deal.seller, &sale.deal.buyer, REFUNDED);
    case DEAL:
        sale.prefix = ANSWER_OK;
        seal_return(0, &sale, sizeof sale);
    default:
        not_understood();
    }
}
