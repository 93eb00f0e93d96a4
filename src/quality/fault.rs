//! What makes an answer look poor, and how much it weighs.

/// One thing wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Neither text nor a tool call.
    Empty,
    /// It begins with a refusal.
    Refuses,
    /// It says that it does not know.
    Unsure,
    /// It ends at the output limit.
    CutOff,
    /// The text is not the JSON that was asked for.
    NotJson,
    /// It calls a function that was not offered.
    UnknownFunction,
    /// A call's arguments are not a JSON object.
    BrokenArguments,
    /// A line or sentence comes three times running.
    Repeats,
    /// The model itself gave its tokens less than an even chance.
    Unlikely,
}

impl Fault {
    /// What it takes off a score of 1000.
    pub(super) fn weight(self) -> u16 {
        match self {
            Fault::Empty | Fault::NotJson | Fault::UnknownFunction | Fault::BrokenArguments => 1000,
            Fault::Refuses => 700,
            Fault::Repeats => 500,
            Fault::Unsure | Fault::CutOff | Fault::Unlikely => 400,
        }
    }

    /// For metrics and trails.
    pub(super) fn signal(self) -> &'static str {
        match self {
            Fault::Empty => "empty",
            Fault::Refuses => "refusal",
            Fault::Unsure => "unsure",
            Fault::CutOff => "cut_off",
            Fault::NotJson => "not_json",
            Fault::UnknownFunction => "unknown_function",
            Fault::BrokenArguments => "broken_arguments",
            Fault::Repeats => "repeats",
            Fault::Unlikely => "unlikely",
        }
    }

    /// For people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Fault::Empty => "it is empty",
            Fault::Refuses => "it refuses",
            Fault::Unsure => "it is unsure",
            Fault::CutOff => "it is cut off",
            Fault::NotJson => "it is not the JSON that was asked for",
            Fault::UnknownFunction => "it calls a function that was not offered",
            Fault::BrokenArguments => "a call's arguments are not a JSON object",
            Fault::Repeats => "it repeats itself",
            Fault::Unlikely => "its tokens are unlikely",
        }
    }
}
