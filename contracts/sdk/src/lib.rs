//! A thin layer over pallet-contracts-uapi for pure and stateful contracts; the ring's only unsafe.
