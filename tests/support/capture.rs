//! A subscriber that records events, and spans with those around them.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A line: where it was written, and in which spans, the outermost first.
#[derive(Clone, Debug)]
pub struct Line {
    pub level: Level,
    pub target: &'static str,
    /// Its fields, as `name=value` with a space between.
    pub text: String,
    pub spans: Vec<String>,
}

/// What was written so far. Clones share it.
#[derive(Clone)]
pub struct Capture(Arc<Kept>);

struct Kept {
    level: Level,
    next: AtomicU64,
    spans: Mutex<HashMap<u64, Span>>,
    /// The spans that were entered, by thread.
    entered: Mutex<HashMap<std::thread::ThreadId, Vec<u64>>>,
    lines: Mutex<Vec<Line>>,
}

#[derive(Clone)]
struct Span {
    text: String,
    around: Option<u64>,
}

impl Capture {
    /// Keeps what is at least of this level, for `with_default` or `set_default`.
    pub fn new(level: Level) -> Self {
        Self(Arc::new(Kept {
            level,
            next: AtomicU64::new(1),
            spans: Mutex::default(),
            entered: Mutex::default(),
            lines: Mutex::default(),
        }))
    }

    pub fn lines(&self) -> Vec<Line> {
        self.0.lines.lock().unwrap().clone()
    }

    /// The lines that hold a text.
    pub fn with(&self, text: &str) -> Vec<Line> {
        self.lines().into_iter().filter(|line| line.text.contains(text)).collect()
    }

    fn current(&self) -> Option<u64> {
        self.0.entered.lock().unwrap().get(&std::thread::current().id())?.last().copied()
    }

    fn spans_from(&self, mut span: Option<u64>) -> Vec<String> {
        let spans = self.0.spans.lock().unwrap();
        let mut names = Vec::new();
        while let Some(known) = span.and_then(|id| spans.get(&id)) {
            names.push(known.text.clone());
            span = known.around;
        }
        names.reverse();
        names
    }
}

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.0.level && metadata.target().starts_with("tokio_osc")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let around =
            span.parent().map(Id::into_u64).or_else(|| self.current().filter(|_| span.is_contextual()));
        let text = format!("{}{}", span.metadata().name(), Fields::of(|fields| span.record(fields)));
        self.0.spans.lock().unwrap().insert(id, Span { text, around });
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let text = Fields::of(|fields| event.record(fields)).trim_start().to_owned();
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let line = Line { level, target, text, spans: self.spans_from(self.current()) };
        self.0.lines.lock().unwrap().push(line);
    }

    fn enter(&self, span: &Id) {
        let mut entered = self.0.entered.lock().unwrap();
        entered.entry(std::thread::current().id()).or_default().push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let mut entered = self.0.entered.lock().unwrap();
        let stack = entered.entry(std::thread::current().id()).or_default();
        if let Some(at) = stack.iter().rposition(|&id| id == span.into_u64()) {
            stack.remove(at);
        }
    }
}

/// Fields as text: ` name=value` each, the message first by its bare text.
struct Fields(String);

impl Fields {
    fn of(record: impl FnOnce(&mut Self)) -> String {
        let mut fields = Self(String::new());
        record(&mut fields);
        fields.0
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.unwrap();
    }
}
