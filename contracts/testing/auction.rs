//! What a caller of a call auction's WASM sees: bytes in, bytes out, and an answer whatever the bytes.

use super::books::{PARAMS, Random, Shape, book, random_orders};
use super::hostile;
use contract_interface::{
    Book, CLEAR, ClearParams, Clearing, DESCRIBE, Descriptor, LangError, Order, RuleError,
};
use parity_scale_codec::Encode;

/// A call auction's rule.
pub struct Auction {
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// Its answer to a book.
    pub clear: fn(ClearParams, Book) -> Result<Clearing, RuleError>,
    /// Its answer to bytes.
    pub dispatch: fn(&[u8]) -> (u32, Vec<u8>),
    /// Bytes it reserves for its input.
    pub input_bytes_max: usize,
}

fn orders(seed: u64) -> Vec<Order> {
    random_orders(&mut Random(seed), Shape { orders: 40, entities: 10, levels: 50, minimums: 3, flags: 0 })
}

impl Auction {
    /// Messages are answered as the interface says.
    pub fn answers_messages(&self) {
        let descriptor = self.descriptor.clone();
        let described = Ok::<_, LangError>(Ok::<_, RuleError>(descriptor)).encode();
        assert_eq!((self.dispatch)(&DESCRIBE), (0, described));
        let book = book(&orders(1));
        let clearing = (self.clear)(PARAMS, book.clone()).expect("the book is well-formed");
        assert!(!clearing.trades.is_empty());
        let answer = Ok::<_, LangError>(Ok::<_, RuleError>(clearing)).encode();
        assert_eq!((self.dispatch)(&(CLEAR, PARAMS, book).encode()), (0, answer));
        let continuous = Book::Continuous { resting: vec![], ops: vec![] };
        let refusal = Ok::<_, LangError>(Err::<Clearing, _>(RuleError::BadInput(1))).encode();
        assert_eq!((self.dispatch)(&(CLEAR, PARAMS, continuous).encode()), (1, refusal));
    }

    /// No bytes make it panic.
    pub fn survives_any_bytes(&self) {
        assert_eq!((self.dispatch)(&[]), hostile::unreadable());
        assert_eq!((self.dispatch)(&[DESCRIBE.as_slice(), &[0]].concat()), hostile::unreadable());
        let valid = (CLEAR, PARAMS, book(&orders(2))).encode();
        let reached = hostile::survive::<Clearing>(self.dispatch, &valid, 3);
        assert!(reached > 500, "only {reached} inputs reached the rule");
    }

    /// The largest book fits the input.
    pub fn takes_the_largest_book(&self) {
        let orders = vec![orders(4)[0]; self.descriptor.max_orders as usize];
        assert!((CLEAR, PARAMS, book(&orders)).encoded_size() <= self.input_bytes_max);
    }
}
