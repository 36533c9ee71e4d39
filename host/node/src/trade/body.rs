//! Bodies of stages in the paper's words: quantities with their units, without zeros that say nothing.

use crate::report::reading_status;
use contract_interface::ReadingStatus;
use runtime_execution::archive::SignedReading;
use runtime_primitives::{Energy, Money, Price, Slot};

/// `10 kWh`, `0.25 kWh`.
pub fn kwh(energy: Energy) -> String {
    format!("{} kWh", plain(format!("{}.{:03}", energy.wh() / 1_000, energy.wh() % 1_000)))
}

/// `6.7 yuan`.
pub fn yuan(money: Money) -> String {
    format!("{} yuan", plain(money.to_string()))
}

/// The paper's `(P, C, T)`.
pub fn leg(energy: Energy, price: Price, slot: Slot) -> String {
    format!("({}, {} yuan/kWh, slot {slot})", kwh(energy), plain(price.to_string()))
}

/// A reading: registers, voltage, frequency, and where it is from if not plainly measured.
pub fn reading(signed: &SignedReading) -> String {
    let reading = &signed.reading;
    let mut text = format!("import {} Wh, export {} Wh", reading.import_wh, reading.export_wh);
    if let Some(voltage) = reading.voltage_dv {
        text += &format!(", {} V", tenths(voltage));
    }
    if let Some(frequency) = reading.frequency_mhz {
        text += &format!(", {}.{:03} Hz", frequency / 1_000, frequency % 1_000);
    }
    if reading.status != ReadingStatus::Measured {
        text += &format!(", {}", reading_status(signed));
    }
    text
}

fn tenths(value: u16) -> String {
    format!("{}.{}", value / 10, value % 10)
}

/// A decimal fraction without trailing zeros.
fn plain(mut text: String) -> String {
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_interface::Reading;
    use runtime_primitives::AccountId;
    use runtime_primitives::crypto::Signature;
    use runtime_primitives::{MarketId, MeterId, Timestamp};

    #[test]
    fn quantities_as_the_paper_writes_them() {
        let slot = Slot::from_number(500);
        let case = leg(Energy::from_wh(10_000), Price::from_ticks(6_700), slot);
        assert_eq!(case, "(10 kWh, 0.67 yuan/kWh, slot 500)");
        assert_eq!(
            leg(Energy::from_wh(1), Price::from_ticks(20_000), slot),
            "(0.001 kWh, 2 yuan/kWh, slot 500)"
        );
        for (units, text) in [(67_000_000, "6.7 yuan"), (0, "0 yuan"), (1, "0.0000001 yuan")] {
            assert_eq!(yuan(Money::from_units(units)), text);
        }
        assert_eq!(kwh(Energy::from_wh(100_000)), "100 kWh");
    }

    #[test]
    fn readings_show_what_was_measured() {
        let full = Reading {
            market: MarketId::ZERO,
            meter: MeterId::ZERO,
            slot: Slot::ZERO,
            revision: 0,
            import_wh: Energy::ZERO,
            export_wh: Energy::from_wh(10_000),
            voltage_dv: Some(2_304),
            frequency_mhz: Some(49_990),
            measured_at: Timestamp::ZERO,
            status: ReadingStatus::Measured,
        };
        let shown = |reading, key| {
            let signature = Signature([0; 64]);
            super::reading(&SignedReading { reading, key, signature, evidence: None })
        };
        let operator = AccountId([7; 32]);
        assert_eq!(shown(full, operator), "import 0 Wh, export 10000 Wh, 230.4 V, 49.990 Hz");
        let bare =
            Reading { voltage_dv: None, frequency_mhz: None, status: ReadingStatus::Substituted, ..full };
        assert_eq!(shown(bare, operator), "import 0 Wh, export 10000 Wh, substituted");
        assert_eq!(shown(bare, AccountId::ZERO), "import 0 Wh, export 10000 Wh, estimated");
    }
}
