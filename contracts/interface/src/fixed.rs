//! Structs whose SCALE encoding has one size: read and written in one piece.
//!
//! The bytes are those that a derived codec writes, field by field and little-endian. A book is a hundred thousand
//! orders, and asking the input ten times for each of them was most of a clearing.

use parity_scale_codec::Error;

/// The fields of an encoding of `N` bytes, from its start.
pub(crate) struct Reader<'a, const N: usize> {
    bytes: &'a [u8; N],
    at: usize,
}

impl<'a, const N: usize> Reader<'a, N> {
    pub(crate) const fn new(bytes: &'a [u8; N]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `M` bytes; the caller's fields are `N` bytes together.
    #[inline(always)]
    fn take<const M: usize>(&mut self) -> [u8; M] {
        let mut field = [0; M];
        field.copy_from_slice(&self.bytes[self.at..self.at + M]);
        self.at += M;
        field
    }

    #[inline(always)]
    pub(crate) fn u8(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    #[inline(always)]
    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// Fields of an encoding of `N` bytes, one after the other.
pub(crate) struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    #[inline(always)]
    pub(crate) fn put<const M: usize>(mut self, field: [u8; M]) -> Self {
        self.bytes[self.at..self.at + M].copy_from_slice(&field);
        self.at += M;
        self
    }

    #[inline(always)]
    pub(crate) const fn finish(self) -> [u8; N] {
        self.bytes
    }
}

/// Encodes and decodes a struct by its `to_bytes` and `from_bytes`.
macro_rules! fixed_codec {
    ($name:ident) => {
        impl parity_scale_codec::Encode for $name {
            fn size_hint(&self) -> usize {
                Self::BYTES
            }

            fn encode_to<O: parity_scale_codec::Output + ?Sized>(&self, out: &mut O) {
                out.write(&self.to_bytes());
            }
        }

        impl parity_scale_codec::EncodeLike for $name {}

        impl parity_scale_codec::Decode for $name {
            fn decode<I: parity_scale_codec::Input>(
                input: &mut I,
            ) -> Result<Self, parity_scale_codec::Error> {
                let mut bytes = [0; Self::BYTES];
                input.read(&mut bytes)?;
                Self::from_bytes(&bytes)
            }

            fn encoded_fixed_size() -> Option<usize> {
                Some(Self::BYTES)
            }
        }
    };
}
pub(crate) use fixed_codec;

/// What a derived codec says of a variant that there is not.
pub(crate) fn no_such_variant() -> Error {
    "no such variant".into()
}
