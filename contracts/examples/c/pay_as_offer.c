// A matching rule for a market: bids from the highest, each takes the cheapest offers of others, at their price.
//
//   describe() -> Descriptor                  what the rule promises
//   clear(ClearParams, Book) -> Clearing      the trades of a call auction
//
// Who offers gets the offer, who bids pays no more than that: the whole difference is the buyer's.
//
// A rule is pure: no storage, no calls, no money, so all it has of the chain is its input and its answer. Both are
// SCALE; every number has a fixed width and is little-endian, as WebAssembly's memory is, so the structs below are the
// bytes, read where they arrive. Answers are Result<Result<T, RuleError>, LangError>; an error reverts.
#include "seal.h"

enum selector { DESCRIBE = 0x623e7133, CLEAR = 0x6553386b };
enum { INTERFACE = 1, AUTO_CONFIRM = 4, ORDERS_MAX = 100000 };
enum side { BUY, SELL };
enum book { AUCTION, CONTINUOUS };
// The variants of RuleError that this rule answers, and its codes of bad input: those that the market's own rules use.
enum error { UNSUPPORTED_INTERFACE, TOO_MANY_ORDERS, UNSUPPORTED_FLAG, BAD_INPUT };
enum bad_input { IS_CONTINUOUS = 1, NOT_ASCENDING, NO_ENERGY };

// Orders are used where they arrive, in the middle of bytes: hence `may_alias`.
typedef struct __attribute__((packed, may_alias)) {
    uint32_t seq, entity, meter;
    uint8_t side;
    uint64_t energy, min_energy;
    uint32_t price;
    uint8_t flags;
    uint32_t partner;
} order;
_Static_assert(sizeof(order) == 38, "as the market writes it");

typedef struct __attribute__((packed)) {
    uint32_t buy, sell;
    uint64_t energy;
    uint32_t buy_price, sell_price;
} trade;
_Static_assert(sizeof(trade) == 24, "as the market reads it");

static const struct __attribute__((packed)) {
    uint8_t no_lang_error, no_error;
    uint16_t interface;
    char name[16];
    uint32_t version;
    uint8_t pricing, flags_supported, min_energy, continuous, no_residual_cross;
    uint32_t max_orders;
} DESCRIPTOR = {
    .interface = INTERFACE,
    .name = "pay-as-offer",
    .version = 1,
    .pricing = 1, // Single: who buys pays what who sells gets
    .flags_supported = AUTO_CONFIRM,
    .no_residual_cross = 1,
    .max_orders = ORDERS_MAX,
};

// What the chain hands over. The list has room for the longest input there is: what does not fit would trap.
struct message {
    uint32_t selector;
    struct __attribute__((packed)) {
        uint16_t interface;
        uint32_t market, slot, batch;
        uint16_t slot_minutes;
        uint32_t tick_size, price_min, price_max;
    } params;
    uint8_t book;
    uint8_t list[(8 << 20) - 33];
} __attribute__((packed));
enum { TO_INTERFACE = 4 + 2, TO_BOOK = 4 + 28 + 1 };

// What is handed back, around the trades: the length of their list has up to four bytes, which end where they begin.
struct answer {
    uint8_t head[2 + 4];
    trade trades[ORDERS_MAX];
    uint8_t tail[2];
} __attribute__((packed));

// The memory above the linked program, where the linker puts this symbol. As variables these would be zeros in the
// module: who lends memory might have lent it before.
extern struct {
    struct message message;
    // A number for each order: its side, its price (how far below the highest, for bids), its place in the book, from
    // the top bit. Sorted, these are the bids by merit, then the offers by merit, and equal prices stand by seq.
    uint64_t ranking[ORDERS_MAX];
    struct answer answer;
} memory __asm__("__heap_base");
_Static_assert(sizeof(struct message) == 8 << 20, "8 MiB");
_Static_assert(sizeof memory <= 177 << 16, "one page less than the linker is told");

// The orders, inside the input; `energy` becomes what is left of it.
static order *orders;

static _Noreturn void not_understood(void) {
    const uint8_t bytes[] = {1, 1};
    seal_return(1, bytes, sizeof bytes);
}

static _Noreturn void refuse(enum error error, uint32_t detail) {
    const struct __attribute__((packed)) {
        uint8_t no_lang_error, is_error, error;
        uint32_t detail;
    } bytes = {0, 1, (uint8_t)error, detail};
    // An interface version has two bytes, all other details have four.
    seal_return(1, &bytes, error == UNSUPPORTED_INTERFACE ? 5 : 7);
}

// The length of a list, of which `bytes` bytes are there at most: one, two or four bytes, by their lowest two bits. The
// shortest form is the only one. `*width` becomes the bytes it takes.
static uint32_t list_length(const uint8_t *at, uint32_t bytes, uint32_t *width) {
    if (bytes == 0) not_understood();
    const uint32_t form = at[0] & 3;
    *width = 1u << form;
    if (form == 3 || bytes < *width) not_understood();
    uint32_t value = 0;
    for (uint32_t byte = 0; byte < *width; byte++) value |= (uint32_t)at[byte] << 8 * byte;
    const uint32_t length = value >> 2;
    if ((form == 1 && length < 1 << 6) || (form == 2 && length < 1 << 14)) not_understood();
    return length;
}

// Checks that the input of `length` bytes is a book that the rule can clear; how many orders it has. Another version of
// the interface is refused before anything that it may have changed is read.
static uint32_t read_book(uint32_t length) {
    if (length < TO_INTERFACE) not_understood();
    if (memory.message.params.interface != INTERFACE) refuse(UNSUPPORTED_INTERFACE, memory.message.params.interface);
    if (length < TO_BOOK || memory.message.book > CONTINUOUS) not_understood();
    if (memory.message.book == CONTINUOUS) refuse(BAD_INPUT, IS_CONTINUOUS);
    uint32_t width;
    const uint32_t bytes = length - TO_BOOK, count = list_length(memory.message.list, bytes, &width);
    if ((uint64_t)count * sizeof(order) != bytes - width) not_understood();
    orders = (order *)(memory.message.list + width);
    for (uint32_t at = 0; at < count; at++) {
        if (orders[at].side > SELL) not_understood();
    }
    if (count > ORDERS_MAX) refuse(TOO_MANY_ORDERS, count);
    for (uint32_t at = 0; at < count; at++) {
        const order *one = &orders[at];
        if (one->energy == 0) refuse(BAD_INPUT, NO_ENERGY);
        if ((one->flags & ~AUTO_CONFIRM) != 0 || one->min_energy != 0) refuse(UNSUPPORTED_FLAG, one->seq);
        if (at > 0 && one->seq <= orders[at - 1].seq) refuse(BAD_INPUT, NOT_ASCENDING);
    }
    return count;
}

// Lets `ranking[at]` sink in the heap of `count` numbers until none below it is larger.
static void sink(uint32_t at, uint32_t count) {
    const uint64_t sinking = memory.ranking[at];
    for (uint32_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && memory.ranking[below + 1] > memory.ranking[below]) below++;
        if (memory.ranking[below] <= sinking) break;
        memory.ranking[at] = memory.ranking[below];
    }
    memory.ranking[at] = sinking;
}

// Ranks the orders, by heap sort: no memory beside the list, no recursion, no book that takes far longer than others.
// How many are bids.
static uint32_t rank(uint32_t count) {
    uint32_t bids = 0;
    for (uint32_t at = 0; at < count; at++) {
        const int sells = orders[at].side == SELL;
        const uint32_t price = sells ? orders[at].price : ~orders[at].price;
        memory.ranking[at] = (uint64_t)sells << 63 | (uint64_t)price << 31 | at;
        bids += !sells;
    }
    for (uint32_t at = count / 2; at-- > 0;) sink(at, count);
    for (uint32_t last = count; last-- > 1;) {
        const uint64_t largest = memory.ranking[0];
        memory.ranking[0] = memory.ranking[last];
        memory.ranking[last] = largest;
        sink(0, last);
    }
    return bids;
}

static order *ranked(uint32_t at) {
    return &orders[memory.ranking[at] & 0x7fffffff];
}

static int same_entity(const order *one, const order *another) {
    return one->entity == another->entity;
}

// Pairs the bids, which are ranked first, with the offers behind them; how many trades that makes.
//
// `best` is the first offer with energy left and `other` the first of another entity than best's: a bid takes the one
// or, if that is its own, the other. Between them is nothing left but offers of best's entity, so neither ever turns
// back, whoever bids. What a bid leaves is too dear or its own, and stays so: no crossing pair remains. A trade ends
// its bid or its offer, so trades are fewer than orders.
static uint32_t pair(uint32_t bids, uint32_t count) {
    uint32_t trades = 0, best = bids, other = bids;
    for (uint32_t at = 0; at < bids; at++) {
        order *bid = ranked(at);
        while (bid->energy != 0) {
            while (best < count && ranked(best)->energy == 0) best++;
            if (other <= best) other = best + 1;
            while (other < count && (ranked(other)->energy == 0 || same_entity(ranked(other), ranked(best)))) other++;
            const uint32_t chosen = best < count && same_entity(ranked(best), bid) ? other : best;
            if (chosen >= count || ranked(chosen)->price > bid->price) break;
            order *offer = ranked(chosen);
            const uint64_t energy = bid->energy < offer->energy ? bid->energy : offer->energy;
            bid->energy -= energy;
            offer->energy -= energy;
            memory.answer.trades[trades++] = (trade){bid->seq, offer->seq, energy, offer->price, offer->price};
        }
    }
    return trades;
}

static _Noreturn void answer_trades(uint32_t count) {
    const uint32_t form = count < 1 << 6 ? 0 : count < 1 << 14 ? 1 : 2;
    const uint32_t width = 1u << form, length = count << 2 | form;
    uint8_t *const trades = (uint8_t *)&memory.answer + sizeof memory.answer.head;
    uint8_t *const start = trades - width - 2, *const end = trades + count * sizeof(trade);
    start[0] = start[1] = 0; // no LangError, no RuleError
    for (uint32_t byte = 0; byte < width; byte++) start[2 + byte] = (uint8_t)(length >> 8 * byte);
    end[0] = end[1] = 0; // nothing is cancelled, no uniform price
    seal_return(0, start, (uint32_t)(end + 2 - start));
}

__attribute__((export_name("call"))) void call(void) {
    uint32_t length = sizeof memory.message;
    seal_input(&memory.message, &length);
    if (length == sizeof memory.message.selector && memory.message.selector == DESCRIBE) {
        seal_return(0, &DESCRIPTOR, sizeof DESCRIPTOR);
    }
    if (length < sizeof memory.message.selector || memory.message.selector != CLEAR) not_understood();
    const uint32_t count = read_book(length);
    answer_trades(pair(rank(count), count));
}
