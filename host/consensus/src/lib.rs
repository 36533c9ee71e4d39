//! The ordering port and its engines; forbids knowing what an extrinsic means.
