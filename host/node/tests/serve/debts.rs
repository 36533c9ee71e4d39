//! What a household cannot pay is owed, shown to both sides, and paid by command.

use crate::node_process::{busbar, json};
use crate::processes::secret;
use crate::theatre::{A, B, Theatre, on_a_vm_thread};
use host_node::scenario::{first_household, paper};
use parity_scale_codec::Compact;
use runtime_execution::Call;
use runtime_execution::extrinsic::MultiAddress;
use runtime_execution::modules::balances;
use runtime_execution::modules::markets::{RECEIVABLES, SlotState};
use runtime_primitives::{Energy, EntityId, Money};
use runtime_state::Overlay;
use serde_json::{Value, json};
use std::process::Output;
use tempfile::TempDir;

/// The retailer's entity.
const RETAILER: u32 = 2;

/// B buys 9 kWh with its last money and takes 10: it owes the retailer 0.8 yuan.
fn insolvent() -> host_node::scenario::Script {
    let mut script = paper().unwrap();
    let b = &mut script.households[B];
    b.intents.values_mut().for_each(|intent| intent.energy = Energy::from_wh(9_000));
    b.funds = Money::from_units(9_000 * 6_900);
    script
}

fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(words), "{said}");
}

#[test]
fn debts_are_shown_to_both_sides_and_paid() {
    on_a_vm_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut theatre = Theatre::playing(insolvent(), folder.path());
        theatre.play_until(SlotState::Settled, &[A, B]);
        let url = format!("http://{}", theatre.service.address().unwrap());
        let (a, b) = (first_household(), first_household() + 1);
        let owed = |entity: &str| {
            let shown = busbar(&["bank", "owed", entity, "--rpc", &url, "--json"]).output().unwrap();
            assert!(shown.status.success(), "{shown:?}");
            json(&shown)
        };
        let own = owed(&b.to_string());
        let debt = own["debts"][0].clone();
        let parties = ["debtor", "creditor", "amount"].map(|name| &debt[name]);
        assert_eq!(parties, [&json!(b), &json!(RETAILER), &json!("0.8000000")], "{own}");
        assert_eq!(debt["record"].as_str().unwrap().len(), 66);
        assert_eq!([&own["owes"], &own["free"], &own["to_come"]], ["0.8000000", "0.0000000", "0.0000000"]);
        let retailers = owed(&RETAILER.to_string());
        assert_eq!((&retailers["debts"], &retailers["to_come"]), (&own["debts"], &json!("0.8000000")));
        assert_eq!(owed(&a.to_string())["debts"], json!([]));
        let everybody = busbar(&["bank", "owed", "--rpc", &url]).output().unwrap();
        let table = String::from_utf8(everybody.stdout).unwrap();
        let row = table.lines().find(|line| line.contains(&format!("entity {b}")));
        assert!(row.is_some_and(|row| row.contains("entity 2") && row.contains("0.8000000")), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");

        let owner = secret("B", "owner");
        let pay = |key: &str, more: &[&str]| {
            busbar(&[&["bank", "pay", "--rpc", &url, "--key", key], more].concat())
        };
        refused(&pay(&secret("A", "owner"), &[]).output().unwrap(), "owes nothing");
        refused(&pay(&owner, &[]).output().unwrap(), &format!("busbar bank deposit {b} 0.8"));
        refused(&pay("//Stranger", &[]).output().unwrap(), "bound to no entity");
        refused(&pay(&owner, &["--slot", "1"]).output().unwrap(), "unexpected argument");

        // A lends half a yuan, which no credit of the market is: only the command pays from it.
        theatre.transfer(A, B, 5_000_000);
        let delegate = theatre.answer(pay(&secret("B", "delegate"), &[]));
        refused(&delegate, "owner");
        let said: Value = json(&theatre.answer(pay(&owner, &["--json"])));
        assert_eq!([&said["paid"], &said["owes"]], ["0.5000000", "0.3000000"], "{said}");
        let left = |theatre: &Theatre| {
            let snapshot = theatre.service.chain().snapshot();
            RECEIVABLES.get_or_default(&Overlay::new(&snapshot), &EntityId::from_number(b)).total.units()
        };
        assert_eq!(left(&theatre), 3_000_000);
        theatre.transfer(A, B, 10_000_000);
        let said = String::from_utf8(theatre.answer(pay(&owner, &[])).stdout).unwrap();
        assert!(
            said.contains("paid 0.3000000 yuan") && said.contains("0.0000000 yuan are still owed"),
            "{said}"
        );
        assert_eq!(left(&theatre), 0);
        assert_eq!(owed(&b.to_string())["free"], "0.7000000");
    });
}

impl Theatre {
    /// A plain transfer of so many units between households.
    fn transfer(&mut self, from: usize, to: usize, units: u128) {
        let names = [from, to].map(|household| self.script.households[household].name.clone());
        let [payer, payee] = names.map(|name| crate::theatre::signer(&name, "owner"));
        let snapshot = self.service.chain().snapshot();
        let mut wallet = host_node::wallet::Wallet::new(payer, *self.cast.genesis());
        wallet.refresh(&Overlay::new(&snapshot));
        let call = balances::Call::TransferAllowDeath {
            dest: MultiAddress::Id(payee.account()),
            value: Compact(units),
        };
        let before = balances::account(&Overlay::new(&snapshot), &payee.account()).data.free;
        self.submit(vec![wallet.sign(&Call::Balances(call))]);
        self.pass();
        let snapshot = self.service.chain().snapshot();
        let after = balances::account(&Overlay::new(&snapshot), &payee.account()).data.free;
        assert_eq!(after.units() - before.units(), units);
    }
}
