//! Fields that the compatible hosts share.

use crate::shape::Shape::{self, Any, Fields, Flag, Is, List, Map, Tagged, Text, TextOr, Whole};

pub static PART: Shape = Tagged(
    "type",
    &[
        ("text", Is(&TEXT_PART)),
        (
            "image_url",
            Fields(&[
                ("type", Text),
                (
                    "image_url",
                    TextOr(&Fields(&[("url", Text), ("detail", Text)])),
                ),
            ]),
        ),
    ],
);

pub static PLAIN: Shape = Fields(&[("role", Text), ("content", TextOr(&List(&TEXT_PART)))]);

pub static USER: Shape = Fields(&[("role", Text), ("content", TextOr(&List(&PART)))]);

pub static TOOL_MESSAGE: Shape = Fields(&[
    ("role", Text),
    ("content", TextOr(&List(&TEXT_PART))),
    ("tool_call_id", Text),
    ("name", Text),
]);

pub static TEXT_PART: Shape = Fields(&[("type", Text), ("text", Text)]);

pub static TOOL_CALL: Shape = Fields(&[
    ("id", Text),
    ("type", Text),
    ("function", Fields(&[("name", Text), ("arguments", Text)])),
    ("index", Whole),
]);

pub static TOOL: Shape = Fields(&[
    ("type", Text),
    (
        "function",
        Fields(&[
            ("name", Text),
            ("description", Text),
            ("parameters", Map(&Any)),
            ("strict", Flag),
        ]),
    ),
]);

pub static TOOL_CHOICE: Shape = Fields(&[("type", Text), ("function", Fields(&[("name", Text)]))]);

pub static STREAM_OPTIONS: Shape = Fields(&[("include_usage", Flag)]);
