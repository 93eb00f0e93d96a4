//! The request fields of `generateContent`, from the official Python SDK 3.4
//! (`google.genai.types` and its converters, read 2026-11-21).
//!
//! Google reads snake_case names too, and its SDK sends some; they are renamed first.

use crate::shape::Shape::{self, Any, Fields, Flag, Is, List, Map, Number, Text, Whole, Word};

/// The whole request on AI Studio.
pub static REQUEST: Shape = Fields(&[
    // The API's own message has it, and clients besides the SDK repeat it there.
    ("model", Text),
    ("contents", List(&CONTENT)),
    ("systemInstruction", Is(&CONTENT)),
    ("tools", List(&TOOL)),
    ("toolConfig", Is(&TOOL_CONFIG)),
    ("safetySettings", List(&SAFETY)),
    ("generationConfig", Is(&GENERATION)),
    ("cachedContent", Text),
    ("labels", Map(&Text)),
    ("serviceTier", Text),
    ("continuationToken", Text),
    ("store", Flag),
]);

/// The whole request on Vertex.
pub static VERTEX_REQUEST: Shape = Fields(&[
    ("contents", List(&CONTENT)),
    ("systemInstruction", Is(&CONTENT)),
    ("tools", List(&VERTEX_TOOL)),
    ("toolConfig", Is(&TOOL_CONFIG)),
    ("safetySettings", List(&VERTEX_SAFETY)),
    ("generationConfig", Is(&VERTEX_GENERATION)),
    ("cachedContent", Text),
    ("labels", Map(&Text)),
    ("modelArmorConfig", Any),
]);

static CONTENT: Shape = Fields(&[("parts", List(&PART)), ("role", Text)]);

static PART: Shape = Fields(&[
    ("mediaResolution", Any),
    (
        "codeExecutionResult",
        Fields(&[("outcome", Text), ("output", Text), ("id", Text)]),
    ),
    (
        "executableCode",
        Fields(&[("code", Text), ("language", Text), ("id", Text)]),
    ),
    (
        "fileData",
        Fields(&[("displayName", Text), ("fileUri", Text), ("mimeType", Text)]),
    ),
    (
        "functionCall",
        Fields(&[("id", Text), ("args", Map(&Any)), ("name", Text)]),
    ),
    (
        "functionResponse",
        Fields(&[
            ("willContinue", Flag),
            ("scheduling", Text),
            ("parts", List(&Any)),
            ("id", Text),
            ("name", Text),
            ("response", Map(&Any)),
        ]),
    ),
    (
        "inlineData",
        Fields(&[("data", Text), ("displayName", Text), ("mimeType", Text)]),
    ),
    ("text", Text),
    ("thought", Flag),
    ("thoughtSignature", Text),
    ("videoMetadata", Any),
    ("toolCall", Any),
    ("toolResponse", Any),
    ("partMetadata", Any),
    ("audioTranscription", Any),
    ("mediaProcessing", Any),
    ("speechMetadata", Any),
    ("documentMetadata", Any),
    ("spreadsheetMetadata", Any),
    ("audioMetadata", Any),
]);

static TOOL: Shape = Fields(&[
    ("functionDeclarations", List(&DECLARATION)),
    ("computerUse", Any),
    ("fileSearch", Any),
    ("googleSearch", Any),
    ("googleMaps", Any),
    ("codeExecution", Any),
    ("googleSearchRetrieval", Any),
    ("urlContext", Any),
    ("mcpServers", Any),
]);

static VERTEX_TOOL: Shape = Fields(&[
    ("functionDeclarations", List(&DECLARATION)),
    ("retrieval", Any),
    ("computerUse", Any),
    ("googleSearch", Any),
    ("googleMaps", Any),
    ("codeExecution", Any),
    ("enterpriseWebSearch", Any),
    ("googleSearchRetrieval", Any),
    ("parallelAiSearch", Any),
    ("urlContext", Any),
    ("exaAiSearch", Any),
]);

static DECLARATION: Shape = Fields(&[
    ("description", Text),
    ("name", Text),
    ("parameters", Is(&SCHEMA)),
    ("parametersJsonSchema", Any),
    ("response", Is(&SCHEMA)),
    ("responseJsonSchema", Any),
    ("behavior", Text),
]);

/// The subset of OpenAPI's schema object. The SDK's type has `additionalProperties`
/// and references too, but the service refuses them.
static SCHEMA: Shape = Fields(&[
    ("anyOf", List(&SCHEMA)),
    ("default", Any),
    ("description", Text),
    ("enum", List(&Text)),
    ("example", Any),
    ("format", Text),
    ("items", Is(&SCHEMA)),
    ("maxItems", Any),
    ("maxLength", Any),
    ("maxProperties", Any),
    ("maximum", Number),
    ("minItems", Any),
    ("minLength", Any),
    ("minProperties", Any),
    ("minimum", Number),
    ("nullable", Flag),
    ("pattern", Text),
    ("properties", Map(&SCHEMA)),
    ("propertyOrdering", List(&Text)),
    ("required", List(&Text)),
    ("title", Text),
    (
        "type",
        Word(&[
            "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "string",
            "number", "integer", "boolean", "array", "object", "null",
        ]),
    ),
]);

static TOOL_CONFIG: Shape = Fields(&[
    (
        "functionCallingConfig",
        Fields(&[
            ("allowedFunctionNames", List(&Text)),
            (
                "mode",
                Word(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]),
            ),
            ("streamFunctionCallArguments", Flag),
        ]),
    ),
    ("retrievalConfig", Any),
    ("includeServerSideToolInvocations", Flag),
]);

static SAFETY: Shape = Fields(&[("category", Text), ("threshold", Text)]);

static VERTEX_SAFETY: Shape = Fields(&[("category", Text), ("method", Text), ("threshold", Text)]);

static GENERATION: Shape = Fields(&[
    ("temperature", Number),
    ("topP", Number),
    ("topK", Number),
    ("candidateCount", Whole),
    ("maxOutputTokens", Whole),
    ("stopSequences", List(&Text)),
    ("responseLogprobs", Flag),
    ("logprobs", Whole),
    ("presencePenalty", Number),
    ("frequencyPenalty", Number),
    ("seed", Whole),
    ("responseMimeType", Text),
    ("responseSchema", Is(&SCHEMA)),
    ("responseJsonSchema", Any),
    ("responseModalities", List(&Text)),
    ("mediaResolution", Text),
    ("speechConfig", Any),
    ("thinkingConfig", Is(&THINKING)),
    ("imageConfig", Any),
    ("enableEnhancedCivicAnswers", Flag),
    ("audioTranscriptionConfig", Any),
]);

static VERTEX_GENERATION: Shape = Fields(&[
    ("temperature", Number),
    ("topP", Number),
    ("topK", Number),
    ("candidateCount", Whole),
    ("maxOutputTokens", Whole),
    ("stopSequences", List(&Text)),
    ("responseLogprobs", Flag),
    ("logprobs", Whole),
    ("presencePenalty", Number),
    ("frequencyPenalty", Number),
    ("seed", Whole),
    ("responseMimeType", Text),
    ("responseSchema", Is(&SCHEMA)),
    ("responseJsonSchema", Any),
    ("responseModalities", List(&Text)),
    ("mediaResolution", Text),
    ("speechConfig", Any),
    ("thinkingConfig", Is(&THINKING)),
    ("imageConfig", Any),
    ("routingConfig", Any),
    ("modelConfig", Any),
    ("audioTimestamp", Flag),
]);

static THINKING: Shape = Fields(&[
    ("includeThoughts", Flag),
    ("thinkingBudget", Whole),
    (
        "thinkingLevel",
        Word(&[
            "THINKING_LEVEL_UNSPECIFIED",
            "MINIMAL",
            "LOW",
            "MEDIUM",
            "HIGH",
            "XHIGH",
        ]),
    ),
]);
