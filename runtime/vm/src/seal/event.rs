//! Events.

use super::Call;
use crate::HostTrap;
use crate::frame::Stop;
use runtime_primitives::limits::{EVENT_TOPICS_MAX, PAYLOAD_BYTES_MAX};

const TOPIC_BYTES: usize = 32;

pub(crate) fn seal0_deposit_event(
    call: &mut Call<'_, '_>,
    topics_ptr: u32,
    topics_len: u32,
    data_ptr: u32,
    data_len: u32,
) -> Result<(), Stop> {
    if data_len as usize > PAYLOAD_BYTES_MAX {
        return Err(HostTrap::PayloadTooLarge { length: u64::from(data_len), max: PAYLOAD_BYTES_MAX }.into());
    }
    call.charge_taken(topics_len.saturating_add(data_len))?;
    let topics = topics(call.memory.read(topics_ptr, topics_len)?)?;
    let data = call.memory.read(data_ptr, data_len)?.to_vec();
    Ok(call.host().deposit_event(topics, data)?)
}

/// Topics from a SCALE list; no bytes at all are no topics.
fn topics(encoded: &[u8]) -> Result<Vec<[u8; TOPIC_BYTES]>, HostTrap> {
    let Some((prefix, list)) = encoded.split_first() else { return Ok(Vec::new()) };
    let (topics, rest) = list.as_chunks::<TOPIC_BYTES>();
    if topics.len() > EVENT_TOPICS_MAX {
        return Err(HostTrap::TooManyTopics { count: topics.len(), max: EVENT_TOPICS_MAX });
    }
    // So few that the list's compact length is one byte, shifted past the two mode bits.
    if !rest.is_empty() || usize::from(*prefix) != topics.len() << 2 {
        return Err(HostTrap::Undecodable { expected: "list of topics" });
    }
    Ok(topics.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_a_short_scale_list() {
        let list = |prefix: u8, bytes: usize| [vec![prefix], vec![5; bytes]].concat();
        let bad = || Err(HostTrap::Undecodable { expected: "list of topics" });
        for (encoded, expected) in [
            (vec![], Ok(vec![])),
            (list(0, 0), Ok(vec![])),
            (list(4, 32), Ok(vec![[5; 32]])),
            (list(16, 128), Ok(vec![[5; 32]; 4])),
            (list(20, 160), Err(HostTrap::TooManyTopics { count: 5, max: 4 })),
            (list(4, 31), bad()),
            (list(4, 33), bad()),
            (list(8, 32), bad()),
            (list(5, 32), bad()),
        ] {
            assert_eq!(topics(&encoded), expected);
        }
    }
}
