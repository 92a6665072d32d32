//! Any template: it parses, renders or fails, and never panics.

use std::sync::LazyLock;

use supercargo::domain::template::{self, MessageData};

static DATA: LazyLock<MessageData> = LazyLock::new(|| {
    serde_json::from_value(serde_json::json!({
        "automation_object": {"namespace": "shop", "name": "web"},
        "values": {"team": "blue"},
        "file_changes": {"a.yaml": [{
            "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web",
            "changes": [{"old_value": "app:1", "new_value": "app:2", "setter": "shop:web"}]
        }]}
    }))
    .expect("the data is in the form of the tests' vectors")
});

/// # Panics
/// If a rule is broken.
pub(crate) fn run(text: &str) {
    let _ = template::refused(text, &DATA.automation);
    let rendered = template::render(text, &DATA);
    assert!(rendered.message.is_some() != rendered.error.is_some());
}
