//! What arrived at a stand-in and how each request ended.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::http::request::Parts;
use serde_json::{Value, json};

/// Requests kept; older ones are forgotten first.
const KEPT: usize = 10_000;

/// The memory of one stand-in. Clones share it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Memory>);

#[derive(Default)]
struct Memory {
    muted: AtomicBool,
    next: AtomicU64,
    counts: Counts,
    requests: Mutex<VecDeque<Request>>,
}

#[derive(Default)]
struct Counts {
    received: AtomicU64,
    completed: AtomicU64,
    cancelled: AtomicU64,
    faults: AtomicU64,
    refused: AtomicU64,
}

struct Request {
    id: u64,
    method: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
    status: Option<u16>,
    refusal: Option<String>,
    started_ms: u64,
    finished_ms: Option<u64>,
    outcome: Option<String>,
    /// Tokens of the prompt and of the whole answer, where there is one.
    tokens: Option<(u64, u64)>,
    /// Pieces of the reply's body that were handed over.
    sent: u64,
}

impl Recorder {
    /// Starts the record of one request. It ends when the exchange is dropped.
    pub fn begin(&self, head: &Parts) -> Exchange {
        self.0.counts.received.fetch_add(1, Ordering::Relaxed);
        let kept = (!self.0.muted.load(Ordering::Relaxed)).then(|| self.keep(head));
        Exchange {
            recorder: self.clone(),
            kept,
            fault: None,
            open: true,
        }
    }

    /// Turns keeping requests on or off. Counting goes on either way.
    pub fn set_recording(&self, enabled: bool) {
        self.0.muted.store(!enabled, Ordering::Relaxed);
    }

    /// The kept requests, oldest first, as the control API shows them.
    pub fn requests(&self) -> Vec<Value> {
        self.lock().iter().map(Request::show).collect()
    }

    /// Forgets the kept requests and sets all counts to zero.
    pub fn clear(&self) {
        self.lock().clear();
        for count in self.0.counts.all() {
            count.1.store(0, Ordering::Relaxed);
        }
    }

    /// The counts since the start or the last clearing.
    pub fn stats(&self) -> Value {
        let counts = self.0.counts.all();
        Value::Object(
            counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), json!(count.load(Ordering::Relaxed))))
                .collect(),
        )
    }

    fn keep(&self, head: &Parts) -> u64 {
        let mut requests = self.lock();
        // Taken under the lock, so that ids rise along the queue.
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        if requests.len() == KEPT {
            requests.pop_front();
        }
        requests.push_back(Request::new(id, head));
        id
    }

    fn change(&self, id: Option<u64>, change: impl FnOnce(&mut Request)) {
        let Some(id) = id else { return };
        let mut requests = self.lock();
        if let Ok(at) = requests.binary_search_by_key(&id, |request| request.id)
            && let Some(request) = requests.get_mut(at)
        {
            change(request);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.0
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn all(&self) -> [(&'static str, &AtomicU64); 5] {
        [
            ("received", &self.received),
            ("completed", &self.completed),
            ("cancelled_by_client", &self.cancelled),
            ("faults", &self.faults),
            ("refused", &self.refused),
        ]
    }
}

impl Request {
    fn new(id: u64, head: &Parts) -> Self {
        Self {
            id,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.clone(),
            body: Bytes::new(),
            status: None,
            refusal: None,
            started_ms: now_ms(),
            finished_ms: None,
            outcome: None,
            tokens: None,
            sent: 0,
        }
    }

    fn show(&self) -> Value {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
            .collect();
        let body = serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&self.body)));
        json!({
            "id": self.id, "method": self.method, "path": self.path, "query": self.query,
            "headers": headers, "body": body, "text": String::from_utf8_lossy(&self.body), "status": self.status, "refusal": self.refusal,
            "started_ms": self.started_ms, "finished_ms": self.finished_ms,
            "outcome": self.outcome, "sent": self.sent,
            "tokens": self.tokens.map(|(input, output)| json!({"input": input, "output": output})),
        })
    }
}

/// The open record of one request: dropped before it is complete, it says that
/// the client went away.
pub struct Exchange {
    recorder: Recorder,
    /// The id under which the request is kept, if it is.
    kept: Option<u64>,
    fault: Option<&'static str>,
    open: bool,
}

impl Exchange {
    /// For what is not a request to the vendor.
    pub fn unrecorded() -> Self {
        Self {
            recorder: Recorder::default(),
            kept: None,
            fault: None,
            open: false,
        }
    }

    /// Notes the body.
    pub fn body(&self, body: &Bytes) {
        let body = body.clone();
        self.recorder
            .change(self.kept, |request| request.body = body);
    }

    /// Notes the status sent.
    pub fn status(&self, status: u16) {
        self.recorder
            .change(self.kept, |request| request.status = Some(status));
    }

    /// Notes what the vendor counts of an answer that comes to its end.
    pub fn tokens(&self, input: u64, output: u64) {
        self.recorder.change(self.kept, |request| {
            request.tokens = Some((input, output));
        });
    }

    /// Notes that one more piece of the body was handed over.
    pub fn sent(&self) {
        self.recorder.change(self.kept, |request| request.sent += 1);
    }

    /// Notes why the stand-in itself refused the request.
    pub fn refusal(&self, reason: &str) {
        self.recorder
            .0
            .counts
            .refused
            .fetch_add(1, Ordering::Relaxed);
        self.recorder.change(self.kept, |request| {
            request.refusal = Some(reason.to_owned())
        });
    }

    /// Notes the scripted fault that governs this request.
    pub fn fault(&mut self, kind: &'static str) {
        self.fault = Some(kind);
    }

    /// Closes the record: everything that was to be sent has been handed over.
    pub fn complete(&mut self) {
        let counts = &self.recorder.0.counts;
        let (count, outcome) = match self.fault {
            Some(kind) => (&counts.faults, format!("fault:{kind}")),
            None => (&counts.completed, "completed".to_owned()),
        };
        if self.open {
            count.fetch_add(1, Ordering::Relaxed);
            self.finish(outcome);
        }
    }

    fn finish(&mut self, outcome: String) {
        self.open = false;
        let now = now_ms();
        self.recorder.change(self.kept, |request| {
            request.finished_ms = Some(now);
            request.outcome = Some(outcome);
        });
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.open {
            let counts = &self.recorder.0.counts;
            counts.cancelled.fetch_add(1, Ordering::Relaxed);
            self.finish("cancelled_by_client".to_owned());
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a server's record is of real time; the rule is for the core"
)]
fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}
