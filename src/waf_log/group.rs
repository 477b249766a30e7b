//! Logs that tell a transaction in several records: they are put together by its unique id.

use std::collections::{HashMap, VecDeque};

use super::Transaction;
use super::read::Sink;
use super::redact;
use super::transaction::{Builder, Engine};

/// Transactions that are kept open for later records. One whose records are further apart is given in two pieces.
pub(super) const OPEN: usize = 512;

/// Records of all open transactions together.
const OPEN_RECORDS: usize = 8192;

/// A transaction whose records may go on.
struct Open {
    unique_id: String,
    builder: Builder,
    records: usize,
}

/// All of them.
#[derive(Default)]
pub(super) struct Group {
    open: VecDeque<Open>,
    /// Unique ids, with the number of the transaction since the start.
    numbers: HashMap<String, u64>,
    given: u64,
    /// Records of all that are open.
    records: usize,
}

impl Group {
    /// The builder of a transaction, new or open.
    pub(super) fn builder(&mut self, unique_id: &str, at: &str, sink: &mut Sink<'_>) -> &mut Builder {
        let known = self.numbers.get(unique_id).copied();
        let place = if let Some(number) = known {
            usize::try_from(number - self.given).unwrap_or(usize::MAX)
        } else {
            while self.open.len() >= OPEN || (self.records >= OPEN_RECORDS && !self.open.is_empty()) {
                self.give_first(sink);
            }
            let mut builder = Builder::default();
            builder.transaction.unique_id = Some(unique_id.to_owned());
            builder.transaction.at = Some(redact::name(at));
            self.numbers.insert(unique_id.to_owned(), self.given + self.open.len() as u64);
            self.open.push_back(Open { unique_id: unique_id.to_owned(), builder, records: 0 });
            self.open.len() - 1
        };
        self.records += 1;
        let open = &mut self.open[place];
        open.records += 1;
        &mut open.builder
    }

    /// Takes a piece of a transaction; one without an id stands for itself.
    pub(super) fn take(&mut self, piece: Transaction, sink: &mut Sink<'_>) {
        let Some(unique_id) = piece.unique_id.clone() else { return sink.give(piece) };
        let at = piece.at.clone().unwrap_or_default();
        self.builder(&unique_id, &at, sink).absorb(piece);
    }

    fn give_first(&mut self, sink: &mut Sink<'_>) {
        if let Some(Open { unique_id, builder, records }) = self.open.pop_front() {
            self.numbers.remove(&unique_id);
            self.given += 1;
            self.records -= records;
            sink.give(builder.finish(Engine::TellsRefusals));
        }
    }

    /// Gives those that are still open.
    pub(super) fn give_all(mut self, sink: &mut Sink<'_>) {
        while !self.open.is_empty() {
            self.give_first(sink);
        }
    }
}
