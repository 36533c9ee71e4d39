//! Validators' signatures under trades, execution lists, and who votes for which.

use super::Sentence;
use super::stage::{Gaps, Stage};
use super::words::Value;
use contract_interface::{Claim, ExecutionEntry, ExecutionList, Stage as Moment};
use runtime_execution::modules::markets::{self, READINGS};
use runtime_primitives::Hash;
use std::sync::Arc;

/// The sentences of this file.
pub const SENTENCES: &[Sentence] = &[
    Sentence {
        text: "validators certify",
        meaning: "all of them sign the trades that they computed themselves",
        run: certify_all,
    },
    Sentence {
        text: "<party> certifies",
        meaning: "one validator signs the chain's own clearing",
        run: |stage, values| certify(stage, values, true),
    },
    Sentence {
        text: "<party> opposes",
        meaning: "one validator signs another result",
        run: |stage, values| certify(stage, values, false),
    },
    Sentence {
        text: "<party> posts list <word> of the latest readings",
        meaning: "an execution list, under a name that later sentences use",
        run: post_latest,
    },
    Sentence {
        text: "<party> posts list <word> of the first readings",
        meaning: "an execution list that takes no correction",
        run: post_first,
    },
    Sentence {
        text: "<party> votes for list <word>",
        meaning: "an elector of the round that is open",
        run: vote,
    },
    Sentence {
        text: "<party> votes for a list that nobody posted",
        meaning: "its vote counts for nothing",
        run: vote_for_nothing,
    },
    Sentence {
        text: "everybody votes for list <word>",
        meaning: "all electors of the open round; in a dispute these are the validators",
        run: vote_all,
    },
    Sentence {
        text: "everybody certifies the readings",
        meaning: "the platform posts the latest readings and all electors vote for them",
        run: certify_readings,
    },
];

type Done = Result<(), String>;

fn certify_all(stage: &mut Stage, _: &[Value]) -> Done {
    stage.world.attest(stage.slot);
    Ok(())
}

fn certify(stage: &mut Stage, values: &[Value], agrees: bool) -> Done {
    let voter = stage.entity(&Gaps(values).name(0))?;
    let own = stage.world.claim(stage.slot, Moment::Authentication);
    let claim = if agrees { own } else { Claim { result_hash: Hash([1; 32]), ..own } };
    let vote = stage.world.vote(voter, claim);
    stage.submit_bare(vote);
    Ok(())
}

fn post(stage: &mut Stage, party: &str, name: String, list: ExecutionList) -> Done {
    let (market, slot) = stage.at();
    let key = match stage.names.iter().position(|known| known == party) {
        Some(home) => Arc::clone(&stage.world.homes[home].delegate),
        None => stage.owner(party)?,
    };
    stage.lists.insert(name, list.hash());
    stage.submit(&key, markets::Call::PostList { market, slot, list });
    Ok(())
}

fn post_latest(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let list = stage.world.latest_list(stage.slot);
    post(stage, &gaps.name(0), gaps.word(1), list)
}

fn post_first(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let at = stage.at();
    let view = stage.world.chain.view();
    let live = markets::live(&view, at).map_err(|error| error.to_string())?;
    let pages = 0..live.slot.meters.div_ceil(markets::meters::METERS_PER_PAGE);
    let all = pages.flat_map(|page| READINGS.get_or_default(&view, &(at.0, at.1, page)));
    let first = markets::meters::meters_of(&view, &live)
        .into_iter()
        .zip(all)
        .filter_map(|(meter, posted)| Some(ExecutionEntry { meter, reading: posted.first()?.hash }));
    let list = ExecutionList(first.collect());
    drop(view);
    post(stage, &gaps.name(0), gaps.word(1), list)
}

fn list(stage: &Stage, name: &str) -> Result<Hash, String> {
    let known = || stage.lists.keys().cloned().collect::<Vec<_>>().join(", ");
    stage.lists.get(name).copied().ok_or_else(|| format!("no list `{name}`; there are: {}", known()))
}

fn cast(stage: &mut Stage, voter: &str, result_hash: Hash) -> Done {
    let voter = stage.entity(voter)?;
    let claim = Claim { result_hash, ..stage.world.claim(stage.slot, Moment::Certification) };
    let vote = stage.world.vote(voter, claim);
    stage.submit_bare(vote);
    Ok(())
}

fn vote(stage: &mut Stage, values: &[Value]) -> Done {
    let gaps = Gaps(values);
    let result = list(stage, &gaps.word(1))?;
    cast(stage, &gaps.name(0), result)
}

fn vote_for_nothing(stage: &mut Stage, values: &[Value]) -> Done {
    cast(stage, &Gaps(values).name(0), Hash([1; 32]))
}

fn vote_all(stage: &mut Stage, values: &[Value]) -> Done {
    let result = list(stage, &Gaps(values).word(0))?;
    stage.world.vote_all(stage.slot, Moment::Certification, result);
    stage.world.chain.block_of_successes();
    Ok(())
}

fn certify_readings(stage: &mut Stage, _: &[Value]) -> Done {
    stage.world.certify(stage.slot);
    Ok(())
}
