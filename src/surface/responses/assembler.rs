//! What a chat completion says becomes items, and each step of it an event.
//!
//! A whole completion is one step, whose events nobody hears.

use super::completion::{Call, Choice, Completion, Logprobs, Said};
use super::echo::Echo;
use super::event::{AnyPart, Event, EventWriter};
use super::output::{Item, Logprob, Part, Status, SummaryText, UrlAnnotation, text};
use super::reasoning;
use super::response::{Head, Response, ResponseError};
use crate::json::RawValue;
use crate::surface::SurfaceContext;
use crate::usage::Usage;

pub(super) struct Assembler {
    head: Head,
    /// What is unique in the ids of this response.
    stem: String,
    slots: Vec<Slot>,
    events: EventWriter,
    has_started: bool,
    incomplete: Option<&'static str>,
    usage: Option<Usage>,
}

/// An item on its way.
struct Slot {
    item: Item,
    is_open: bool,
    /// The call's index in the chat completion.
    call_index: Option<u64>,
    /// What its `encrypted_content` will hold.
    details: Vec<Box<RawValue>>,
}

impl Assembler {
    pub(super) fn new(context: &SurfaceContext, echo: Echo, is_streamed: bool) -> Assembler {
        let stem: String = context.id.chars().filter(|c| *c != '-').collect();
        Assembler {
            head: Head {
                id: format!("resp_{stem}"),
                created: context.created,
                model: String::new(),
                service_tier: None,
                provider_metadata: None,
                echo,
            },
            stem,
            slots: Vec::new(),
            events: EventWriter::new(is_streamed),
            has_started: false,
            incomplete: None,
            usage: None,
        }
    }

    /// A completion or a chunk of one.
    pub(super) fn read(&mut self, completion: Completion<'_>, out: &mut Vec<u8>) {
        let Completion {
            model,
            choices,
            usage,
            service_tier,
            provider_metadata,
            error: _, // Seen by the caller.
            extra: _, // Its id, object, time and fingerprint: a response has its own.
        } = completion;
        if let Some(model) = model.filter(|model| !model.is_empty()) {
            model.as_str().clone_into(&mut self.head.model);
        }
        let owned = |raw: Option<&RawValue>| raw.map(ToOwned::to_owned);
        self.head.service_tier = owned(service_tier).or(self.head.service_tier.take());
        self.head.provider_metadata =
            owned(provider_metadata).or(self.head.provider_metadata.take());
        self.usage = usage.as_ref().map(Usage::from).or(self.usage);
        self.start(out);
        let choices = choices.unwrap_or_default().into_iter();
        let mut first = choices.filter(|choice| choice.index.unwrap_or(0) == 0);
        if let Some(choice) = first.next() {
            self.choice(choice, out);
        }
    }

    /// The regular end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        let status = self.close_all(out);
        let r#type = match status {
            Status::Incomplete => "response.incomplete",
            _ => "response.completed",
        };
        self.tell(r#type, status, None, out);
    }

    /// The end of a stream that broke.
    pub(super) fn fail(&mut self, code: &'static str, message: &str, out: &mut Vec<u8>) {
        if !self.has_started {
            let event = Event {
                r#type: "error",
                code: Some(code),
                message: Some(message),
                ..Event::default()
            };
            return self.events.write(event, out);
        }
        for slot in self.slots.iter_mut().filter(|slot| slot.is_open) {
            slot.item.set_status(Status::Incomplete);
        }
        let error = Some(ResponseError { code, message });
        self.tell("response.failed", Status::Failed, error, out);
    }

    /// The whole response; what is open is closed.
    pub(super) fn whole(&mut self) -> Response<'_> {
        let status = self.close_all(&mut Vec::new());
        self.response(status, None)
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_started, true) {
            self.tell("response.created", Status::InProgress, None, out);
            self.tell("response.in_progress", Status::InProgress, None, out);
        }
    }

    fn choice(&mut self, choice: Choice<'_>, out: &mut Vec<u8>) {
        let Choice {
            index: _, // Seen by the caller.
            message,
            delta,
            finish_reason,
            logprobs,
            extra: _, // A response has no place for it.
        } = choice;
        if let Some(said) = message.or(delta) {
            self.said(said, logprobs, out);
        }
        match finish_reason.as_deref() {
            Some("length") => self.incomplete = Some("max_output_tokens"),
            Some("content_filter") => self.incomplete = Some("content_filter"),
            _ => {}
        }
    }

    fn said(&mut self, said: Said<'_>, logprobs: Option<Logprobs<'_>>, out: &mut Vec<u8>) {
        let Said {
            content,
            refusal,
            reasoning_content,
            reasoning_details,
            annotations,
            tool_calls,
            extra: _, // The role; a response has no place for more.
        } = said;
        if let Some(words) = reasoning_content.filter(|words| !words.is_empty()) {
            self.reasoning(&words, out);
        }
        let details = reasoning_details.unwrap_or_default();
        if !details.is_empty() {
            let at = self.open_reasoning(out);
            let details = details.into_iter().map(ToOwned::to_owned);
            if let Some(slot) = self.slots.get_mut(at) {
                slot.details.extend(details);
            }
        }
        let logprobs = logprobs.and_then(|l| l.content).unwrap_or_default();
        let logprobs: Vec<_> = logprobs.into_iter().filter_map(Logprob::of).collect();
        let words = text(content);
        if !words.is_empty() || !logprobs.is_empty() {
            self.text(&words, logprobs, out);
        }
        if let Some(words) = refusal.filter(|words| !words.is_empty()) {
            self.refusal(&words, out);
        }
        let annotations = annotations.unwrap_or_default().into_iter();
        for annotation in annotations.filter_map(UrlAnnotation::of) {
            self.annotation(annotation, out);
        }
        for (position, call) in tool_calls.unwrap_or_default().into_iter().enumerate() {
            self.call(position as u64, call, out);
        }
    }

    // === reasoning ===

    fn open_reasoning(&mut self, out: &mut Vec<u8>) -> usize {
        let is_open = |slot: &Slot| slot.is_open && matches!(slot.item, Item::Reasoning { .. });
        match self.slots.iter().rposition(is_open) {
            Some(at) => at,
            None => {
                let item = Item::Reasoning {
                    id: self.id("rs"),
                    summary: Vec::new(),
                    encrypted_content: None,
                    status: Status::InProgress,
                };
                self.add(item, None, out)
            }
        }
    }

    fn reasoning(&mut self, words: &str, out: &mut Vec<u8>) {
        self.close_where(|item| matches!(item, Item::Message { .. }), out);
        let at = self.open_reasoning(out);
        let Some(Slot {
            item: Item::Reasoning { id, summary, .. },
            ..
        }) = self.slots.get_mut(at)
        else {
            return;
        };
        let base = || Event {
            output_index: Some(at),
            summary_index: Some(0),
            ..Event::default()
        };
        if summary.is_empty() {
            summary.push(SummaryText::new(""));
            let event = Event {
                r#type: "response.reasoning_summary_part.added",
                item_id: Some(id),
                part: summary.first().map(AnyPart::Summary),
                ..base()
            };
            self.events.write(event, out);
        }
        if let Some(part) = summary.last_mut() {
            part.text.push_str(words);
        }
        let event = Event {
            r#type: "response.reasoning_summary_text.delta",
            item_id: Some(id),
            delta: Some(words),
            ..base()
        };
        self.events.write(event, out);
    }

    // === messages ===

    /// The open message with a last part of this kind: its place, and the part's.
    fn open_part(&mut self, new: Part, out: &mut Vec<u8>) -> (usize, usize) {
        self.close_where(|item| matches!(item, Item::Reasoning { .. }), out);
        let is_open = |slot: &Slot| slot.is_open && matches!(slot.item, Item::Message { .. });
        let at = match self.slots.iter().rposition(is_open) {
            Some(at) => at,
            None => {
                let item = Item::Message {
                    id: self.id("msg"),
                    role: "assistant",
                    status: Status::InProgress,
                    content: Vec::new(),
                };
                self.add(item, None, out)
            }
        };
        let Some(Slot {
            item: Item::Message { id, content, .. },
            ..
        }) = self.slots.get_mut(at)
        else {
            return (at, 0);
        };
        let kind = std::mem::discriminant(&new);
        if content.last().map(std::mem::discriminant) != Some(kind) {
            content.push(new);
            let event = Event {
                r#type: "response.content_part.added",
                item_id: Some(id),
                output_index: Some(at),
                content_index: Some(content.len() - 1),
                part: content.last().map(AnyPart::Content),
                ..Event::default()
            };
            self.events.write(event, out);
        }
        (at, content.len() - 1)
    }

    fn text(&mut self, words: &str, mut logprobs: Vec<Logprob>, out: &mut Vec<u8>) {
        let (at, index) = self.open_part(Part::text(), out);
        let Some((
            id,
            Part::OutputText {
                text,
                logprobs: all,
                ..
            },
        )) = self.part(at, index)
        else {
            return;
        };
        text.push_str(words);
        let (id, first) = (id.to_owned(), all.len());
        all.append(&mut logprobs);
        let Some((_, Part::OutputText { logprobs, .. })) = part_of(&self.slots, at, index) else {
            return;
        };
        let event = Event {
            r#type: "response.output_text.delta",
            item_id: Some(&id),
            output_index: Some(at),
            content_index: Some(index),
            delta: Some(words),
            logprobs: logprobs.get(first..),
            ..Event::default()
        };
        self.events.write(event, out);
    }

    fn refusal(&mut self, words: &str, out: &mut Vec<u8>) {
        let new = Part::Refusal {
            refusal: String::new(),
        };
        let (at, index) = self.open_part(new, out);
        let Some((id, Part::Refusal { refusal })) = self.part(at, index) else {
            return;
        };
        refusal.push_str(words);
        let id = id.to_owned();
        let event = Event {
            r#type: "response.refusal.delta",
            item_id: Some(&id),
            output_index: Some(at),
            content_index: Some(index),
            delta: Some(words),
            ..Event::default()
        };
        self.events.write(event, out);
    }

    /// Citations come with or after the text that they stand in.
    fn annotation(&mut self, annotation: UrlAnnotation, out: &mut Vec<u8>) {
        let (at, index) = self.open_part(Part::text(), out);
        if let Some((_, Part::OutputText { annotations, .. })) = self.part(at, index) {
            annotations.push(annotation);
        }
        let Some((id, Part::OutputText { annotations, .. })) = part_of(&self.slots, at, index)
        else {
            return;
        };
        let event = Event {
            r#type: "response.output_text.annotation.added",
            item_id: Some(id),
            output_index: Some(at),
            content_index: Some(index),
            annotation_index: Some(annotations.len().saturating_sub(1)),
            annotation: annotations.last(),
            ..Event::default()
        };
        self.events.write(event, out);
    }

    fn part(&mut self, at: usize, index: usize) -> Option<(&str, &mut Part)> {
        match &mut self.slots.get_mut(at)?.item {
            Item::Message { id, content, .. } => Some((id, content.get_mut(index)?)),
            _ => None,
        }
    }

    // === calls ===

    fn call(&mut self, position: u64, call: Call<'_>, out: &mut Vec<u8>) {
        let Call {
            index,
            id,
            function,
            extra_content,
            extra: _, // The type: all are functions.
        } = call;
        let function = function.unwrap_or_default();
        let id = id.filter(|id| !id.is_empty());
        let index = index.unwrap_or(position);
        let found = self.slots.iter().rposition(|slot| {
            let Item::FunctionCall { call_id, .. } = &slot.item else {
                return false;
            };
            slot.call_index == Some(index) && id.as_deref().is_none_or(|id| id == call_id)
        });
        let at = found.unwrap_or_else(|| {
            let id = id.map(|id| id.to_string()).unwrap_or_default();
            let name = function.name.map(|n| n.to_string()).unwrap_or_default();
            self.open_call(index, id, name, extra_content, out)
        });
        let Some(fragment) = function.arguments.filter(|text| !text.is_empty()) else {
            return;
        };
        let slot = self.slots.get_mut(at);
        if let Some(Item::FunctionCall { id, arguments, .. }) = slot.map(|slot| &mut slot.item) {
            arguments.push_str(&fragment);
            let event = Event {
                r#type: "response.function_call_arguments.delta",
                item_id: Some(id),
                output_index: Some(at),
                delta: Some(&fragment),
                ..Event::default()
            };
            self.events.write(event, out);
        }
    }

    fn open_call(
        &mut self,
        index: u64,
        call_id: String,
        name: String,
        extra_content: Option<&RawValue>,
        out: &mut Vec<u8>,
    ) -> usize {
        self.close_where(|item| matches!(item, Item::Reasoning { .. }), out);
        if let Some(content) = extra_content {
            let item = Item::Reasoning {
                id: self.id("rs"),
                summary: Vec::new(),
                encrypted_content: Some(reasoning::seal_call(&call_id, content)),
                status: Status::InProgress,
            };
            let at = self.add(item, None, out);
            self.close(at, Status::Completed, out);
        }
        let item = Item::FunctionCall {
            id: self.id("fc"),
            call_id,
            name,
            arguments: String::new(),
            status: Status::InProgress,
        };
        self.add(item, Some(index), out)
    }

    // === items ===

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.stem, self.slots.len())
    }

    fn add(&mut self, item: Item, call_index: Option<u64>, out: &mut Vec<u8>) -> usize {
        let at = self.slots.len();
        let event = Event {
            r#type: "response.output_item.added",
            output_index: Some(at),
            item: Some(&item),
            ..Event::default()
        };
        self.events.write(event, out);
        self.slots.push(Slot {
            item,
            is_open: true,
            call_index,
            details: Vec::new(),
        });
        at
    }

    fn close_where(&mut self, is_meant: impl Fn(&Item) -> bool, out: &mut Vec<u8>) {
        for at in 0..self.slots.len() {
            let slot = self.slots.get(at);
            if slot.is_some_and(|slot| slot.is_open && is_meant(&slot.item)) {
                self.close(at, Status::Completed, out);
            }
        }
    }

    /// Closes what is open; tells how the response ends. What was cut off is the last item.
    fn close_all(&mut self, out: &mut Vec<u8>) -> Status {
        let status = match self.incomplete {
            Some(_) => Status::Incomplete,
            None => Status::Completed,
        };
        let last = self.slots.len().saturating_sub(1);
        for at in 0..self.slots.len() {
            if self.slots.get(at).is_some_and(|slot| slot.is_open) {
                let status = if at == last {
                    status
                } else {
                    Status::Completed
                };
                self.close(at, status, out);
            }
        }
        status
    }

    fn close(&mut self, at: usize, status: Status, out: &mut Vec<u8>) {
        let Assembler { slots, events, .. } = self;
        let Some(slot) = slots.get_mut(at) else {
            return;
        };
        slot.is_open = false;
        slot.item.set_status(status);
        if let Item::Reasoning {
            encrypted_content, ..
        } = &mut slot.item
            && encrypted_content.is_none()
        {
            *encrypted_content = reasoning::seal(&slot.details);
        }
        end_content(at, &slot.item, events, out);
        let event = Event {
            r#type: "response.output_item.done",
            output_index: Some(at),
            item: Some(&slot.item),
            ..Event::default()
        };
        events.write(event, out);
    }

    // === the response ===

    fn response<'a>(&'a self, status: Status, error: Option<ResponseError<'a>>) -> Response<'a> {
        let is_over = status != Status::InProgress;
        let output = self.slots.iter().filter(|_| is_over);
        Response {
            head: &self.head,
            status,
            incomplete: self.incomplete.filter(|_| status == Status::Incomplete),
            error,
            output: output.map(|slot| &slot.item).collect(),
            usage: self.usage.filter(|_| is_over),
        }
    }

    fn tell(
        &mut self,
        r#type: &'static str,
        status: Status,
        error: Option<ResponseError<'_>>,
        out: &mut Vec<u8>,
    ) {
        let mut events = std::mem::replace(&mut self.events, EventWriter::new(false));
        let response = self.response(status, error);
        let event = Event {
            r#type,
            response: Some(&response),
            ..Event::default()
        };
        events.write(event, out);
        self.events = events;
    }
}

fn part_of(slots: &[Slot], at: usize, index: usize) -> Option<(&str, &Part)> {
    match &slots.get(at)?.item {
        Item::Message { id, content, .. } => Some((id, content.get(index)?)),
        _ => None,
    }
}

/// The events that come before an item's own end.
fn end_content(at: usize, item: &Item, events: &mut EventWriter, out: &mut Vec<u8>) {
    let base = || Event {
        item_id: Some(item.id()),
        output_index: Some(at),
        ..Event::default()
    };
    match item {
        Item::Reasoning { summary, .. } => {
            for (i, part) in summary.iter().enumerate() {
                let text = Event {
                    r#type: "response.reasoning_summary_text.done",
                    summary_index: Some(i),
                    text: Some(&part.text),
                    ..base()
                };
                events.write(text, out);
                let part = Event {
                    r#type: "response.reasoning_summary_part.done",
                    summary_index: Some(i),
                    part: Some(AnyPart::Summary(part)),
                    ..base()
                };
                events.write(part, out);
            }
        }
        Item::Message { content, .. } => {
            for (i, part) in content.iter().enumerate() {
                let content_index = Some(i);
                let said = match part {
                    Part::OutputText { text, logprobs, .. } => Event {
                        r#type: "response.output_text.done",
                        content_index,
                        text: Some(text),
                        logprobs: Some(logprobs),
                        ..base()
                    },
                    Part::Refusal { refusal } => Event {
                        r#type: "response.refusal.done",
                        content_index,
                        refusal: Some(refusal),
                        ..base()
                    },
                };
                events.write(said, out);
                let part = Event {
                    r#type: "response.content_part.done",
                    content_index,
                    part: Some(AnyPart::Content(part)),
                    ..base()
                };
                events.write(part, out);
            }
        }
        Item::FunctionCall { arguments, .. } => {
            let event = Event {
                r#type: "response.function_call_arguments.done",
                arguments: Some(arguments),
                ..base()
            };
            events.write(event, out);
        }
    }
}
