//! Writes down decisions, drafts and what was done, in order, on a thread of its own: each write waits for the disk.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

use jiff::Timestamp;

use super::mailbox::{Letter, Mailbox};
use crate::app::message::Msg;
use crate::domain::object::ObjectId;
use crate::domain::plan::Ground;
use crate::domain::proposal::{Decision, Hold, Proposal, Site};
use crate::engine::{self, Engine};
use crate::problem::Problem;
use crate::store::{Draft, Event};

/// What is to be written.
#[derive(Debug)]
enum Order {
    Decisions { scope: String },
    Draft { key: String, text: Option<String> },
    Hold(Hold, &'static str),
    Unhold { policy: ObjectId, tag: Option<String>, mode: &'static str },
    Event(Event),
    PushesSeen,
    Orders(BTreeMap<String, (String, bool)>),
    Shares(BTreeMap<String, i16>),
    Commands(Vec<String>),
}

/// Takes orders and has them written.
pub(super) struct Journal {
    engine: Engine,
    orders: Option<mpsc::Sender<Order>>,
    writer: Option<JoinHandle<()>>,
    /// Who does all this, as `USER@HOST`.
    who: String,
}

impl Journal {
    /// Starts the writer.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn start(engine: Engine, answers: Mailbox<Letter>) -> io::Result<Self> {
        let (orders, receive) = mpsc::channel::<Order>();
        let of = engine.clone();
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            while let Ok(first) = receive.recv() {
                let batch: Vec<Order> = std::iter::once(first).chain(receive.try_iter()).collect();
                let holds = batch.iter().any(|order| matches!(order, Order::Hold(..) | Order::Unhold { .. }));
                for problem in write(&engine, batch) {
                    // With a mailbox that is full there is more to read than this.
                    let _ = answers.try_send(Letter::Answer(Box::new(Msg::Warned(problem))));
                }
                if holds {
                    // A full mailbox has newer comparisons in it.
                    let _ = answers.try_send(Letter::Answer(Box::new(Msg::HoldsKept)));
                }
            }
        })?;
        Ok(Self { engine: of, orders: Some(orders), writer: Some(writer), who: engine::who() })
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The writer lives as long as this; if it is gone, so is the disk.
            let _ = orders.send(order);
        }
    }

    /// Keeps what was decided about these sites. They outlive the process from here on, and so before they are on the
    /// screen; only the disk is waited for elsewhere.
    pub(super) fn decisions(&self, grounds: &[Ground], decided: Vec<(ObjectId, Site)>, time: Timestamp) {
        let mut by_automation: BTreeMap<ObjectId, Vec<Site>> = BTreeMap::new();
        for (automation, site) in decided {
            by_automation.entry(automation).or_default().push(site);
        }
        for (automation, sites) in by_automation {
            let scope = scope(grounds, &automation);
            self.engine.store().journal().record(&scope, &automation, &sites, time);
            self.order(Order::Decisions { scope });
        }
    }

    /// Keeps a message, or forgets it.
    pub(super) fn draft(&self, key: String, text: Option<String>) {
        self.order(Order::Draft { key, text });
    }

    /// Keeps a hold.
    pub(super) fn hold(&self, hold: Hold, mode: &'static str) {
        self.order(Order::Hold(hold, mode));
    }

    /// Ends a hold: that on exactly this tag, or on whatever the policy selects.
    pub(super) fn unhold(&self, policy: ObjectId, tag: Option<String>, mode: &'static str) {
        self.order(Order::Unhold { policy, tag, mode });
    }

    /// Writes down what was done.
    pub(super) fn event(
        &self,
        event: &str,
        subject: String,
        (detail, plan): (String, Option<String>),
        mode: &str,
    ) {
        let (user, host) = self.who.split_once('@').unwrap_or((&self.who, ""));
        self.order(Order::Event(Event {
            time: super::clock::now(),
            event: event.to_owned(),
            subject,
            detail,
            result: "ok".to_owned(),
            mode: mode.to_owned(),
            plan,
            user: user.to_owned(),
            host: host.to_owned(),
        }));
    }

    /// Keeps that how this process's pushes ended is on the screen.
    pub(super) fn pushes_seen(&self) {
        self.order(Order::PushesSeen);
    }

    /// Keeps the orders of lists.
    pub(super) fn orders(&self, orders: BTreeMap<String, (String, bool)>) {
        self.order(Order::Orders(orders));
    }

    /// Keeps how the room is shared among panes.
    pub(super) fn shares(&self, shares: BTreeMap<String, i16>) {
        self.order(Order::Shares(shares));
    }

    /// Keeps what was run from the palette.
    pub(super) fn commands(&self, commands: Vec<String>) {
        self.order(Order::Commands(commands));
    }

    /// Waits until everything is written.
    pub(super) fn finish(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told so already.
            let _ = writer.join();
        }
    }
}

/// Writes a batch; of several drafts of one message only the last. Returns what could not be kept and has to be.
fn write(engine: &Engine, batch: Vec<Order>) -> Vec<Problem> {
    let store = engine.store();
    let mut problems = Vec::new();
    let mut drafts = BTreeMap::new();
    for order in batch {
        match order {
            Order::Decisions { scope } => store.journal().sync(&scope),
            Order::Hold(hold, mode) => problems.extend(engine.hold(&hold, mode).err()),
            Order::Unhold { policy, tag, mode } => {
                problems.extend(engine.unhold(&policy, Some(tag.as_deref()), mode).err());
            }
            Order::Draft { key, text } => drop(drafts.insert(key, text)),
            Order::Event(event) => store.audit().append(&[event]),
            Order::PushesSeen => engine.pushes_seen(),
            Order::Orders(orders) => store.orders().write(&orders),
            Order::Shares(shares) => store.shares().write(&shares),
            Order::Commands(commands) => store.commands().write(&commands),
        }
    }
    for (key, text) in drafts {
        match text {
            Some(text) => store.drafts().write(&key, &Draft { text, base: None }),
            None => store.drafts().remove(&key),
        }
    }
    problems
}

/// What decisions about the sites of `automation` belong to: the remote and branch they would go to.
pub(super) fn scope(grounds: &[Ground], automation: &ObjectId) -> String {
    let ground = grounds.iter().find(|ground| ground.automation == *automation);
    let remote = ground.and_then(|ground| ground.remote.clone()).unwrap_or_default();
    let branch =
        ground.and_then(|ground| ground.push.as_ref()).map(|push| push.branch.clone()).unwrap_or_default();
    format!("{remote}#{branch}")
}

/// Gives every site the decision that an earlier run made about it; returns when the newest of these was made. Blocks:
/// it reads files.
pub(super) fn remember(engine: &Engine, grounds: &[Ground], updates: &mut [Proposal]) -> Option<Timestamp> {
    let (mut known, mut newest) = (BTreeMap::new(), None);
    for update in updates {
        let scope = scope(grounds, &update.automation);
        let decisions = known.entry(scope).or_insert_with_key(|scope| engine.store().journal().load(scope));
        let automation = update.automation.clone();
        let made = decisions.apply(&automation, &mut update.sites);
        if made.is_some() {
            update.settle_links();
            update.decision = update.overall();
        }
        newest = newest.max(made);
        debug_assert!(update.decision != Decision::Undecided || update.approved().next().is_none());
    }
    newest
}

/// The key of an automation's draft: the source it is of, and its name.
pub(super) fn draft_key(source: &str, automation: &ObjectId) -> String {
    format!("{source} {automation}")
}
