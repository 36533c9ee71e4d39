//! Books of random orders, encoded as the matching rules take them (interface v1).

/// The `clear` message of a book of `count` orders by `count / 5` entities at 5,000 price levels, without minimum
/// fills. `flags` may each be carried by an order. The same seed gives the same bytes everywhere.
pub fn clear_message(count: u32, flags: u8, seed: u64) -> Vec<u8> {
    let mut random = seed;
    let mut below = |bound: u32| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((random >> 33) % u64::from(bound)).expect("below a u32")
    };
    let mut message = vec![0x6b, 0x38, 0x53, 0x65];
    // Interface, market, slot, batch, minutes, tick size, lowest and highest price.
    message.extend(1u16.to_le_bytes());
    message.extend([0; 12]);
    message.extend(15u16.to_le_bytes());
    message.extend([1u32, 0, u32::MAX].iter().flat_map(|price| price.to_le_bytes()));
    // An auction, and a compact length of two bytes.
    message.push(0);
    message.extend(u16::try_from(count << 2 | 1).expect("fewer than 2¹⁴ orders").to_le_bytes());
    for seq in 0..count {
        let entity = below(count / 5);
        message.extend([seq, entity, entity].iter().flat_map(|number| number.to_le_bytes()));
        message.push(u8::from(below(2) == 1));
        message.extend(u64::from(1 + below(5_000)).to_le_bytes());
        message.extend(0u64.to_le_bytes());
        message.extend((3_000 + below(5_000)).to_le_bytes());
        message.push(flags & u8::try_from(below(8)).expect("below a u8"));
        message.extend(below(count / 5).to_le_bytes());
    }
    message
}
