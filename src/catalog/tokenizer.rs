//! Which tokenizer a model has, told by its name. Native only: what is found is written into the
//! plugin's configuration.

use crate::tokens::Family;

/// How names begin, without what stands before a `/` or a region. Longer ones first where one
/// is the beginning of another. What is not listed is taken for `o200k`, and corrected by what
/// it reports.
const FAMILIES: &[(&str, Family)] = &[
    ("gpt-4o", Family::O200k),
    ("gpt-4.", Family::O200k),
    ("gpt-4", Family::Cl100k),
    ("gpt-3.5", Family::Cl100k),
    ("text-embedding-", Family::Cl100k),
    ("claude", Family::Claude),
    ("gemini", Family::Gemini),
    ("gemma", Family::Gemini),
    ("qwen", Family::Qwen),
    ("qwq", Family::Qwen),
    ("deepseek-r1-distill-llama", Family::Llama),
    ("deepseek-r1-distill-qwen", Family::Qwen),
    ("deepseek", Family::Deepseek),
    ("llama", Family::Llama),
    ("meta-llama", Family::Llama),
    ("mistral", Family::Mistral),
    ("ministral", Family::Mistral),
    ("mixtral", Family::Mistral),
    ("codestral", Family::Mistral),
    ("devstral", Family::Mistral),
    ("magistral", Family::Mistral),
    ("pixtral", Family::Mistral),
    ("voxtral", Family::Mistral),
    ("open-mi", Family::Mistral),
];

/// The tokenizer of the model of this name; `None` when the name says nothing.
pub fn tokenizer_of(model: &str) -> Option<Family> {
    let name = model.to_ascii_lowercase();
    // `meta-llama/Llama-3.3-70B`, `us.anthropic.claude-...`, `accounts/.../deepseek-v3`.
    let last = name.rsplit('/').next().unwrap_or(&name).to_owned();
    let parts = std::iter::once(last.as_str()).chain(last.split_once('.').map(|(_, rest)| rest));
    let parts = parts.chain(last.splitn(3, '.').nth(2));
    parts.into_iter().find_map(|part| {
        let fits = |(start, _): &&(&str, Family)| part.starts_with(*start);
        FAMILIES.iter().find(fits).map(|(_, family)| *family)
    })
}

#[cfg(test)]
mod tests {
    use super::tokenizer_of;
    use crate::tokens::Family;

    #[test]
    fn names_tell_tokenizers_wherever_a_model_is_hosted() {
        for (name, family) in [
            ("gpt-4-turbo", Some(Family::Cl100k)),
            ("gpt-4.1-mini", Some(Family::O200k)),
            ("gpt-5.4", None),
            (
                "us.anthropic.claude-opus-4-5-20251101-v1:0",
                Some(Family::Claude),
            ),
            ("anthropic/claude-sonnet-4.5", Some(Family::Claude)),
            (
                "meta-llama/Llama-3.3-70B-Instruct-Turbo",
                Some(Family::Llama),
            ),
            (
                "us.meta.llama4-scout-17b-instruct-v1:0",
                Some(Family::Llama),
            ),
            (
                "accounts/fireworks/models/deepseek-v3p1",
                Some(Family::Deepseek),
            ),
            ("Qwen/Qwen3-235B-A22B", Some(Family::Qwen)),
            ("mistral-large-latest", Some(Family::Mistral)),
            ("command-a-03-2025", None),
        ] {
            assert_eq!(tokenizer_of(name), family, "{name}");
        }
    }
}
