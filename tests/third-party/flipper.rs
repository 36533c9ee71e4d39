//! The flipper that ink! 5.1.1 publishes: the contract in the README of the package `ink`, which holds no crate
//! attributes of its own. The lane cuts it out and names the file; nothing of it is written here.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

include!(env!("INK_FLIPPER"));
