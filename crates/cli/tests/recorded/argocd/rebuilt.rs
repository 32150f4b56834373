//! Applications as they must have been when a recorded command printed them: read off its output.

use object::{Object, Value, json};

/// A line about a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    group: String,
    kind: String,
    namespace: String,
    name: String,
    status: String,
    health: String,
    hook: String,
    message: String,
}

const HEALTH: [&str; 5] = ["Healthy", "Missing", "Progressing", "Degraded", "Suspended"];
const HOOKS: [&str; 5] = ["PreSync", "Sync", "PostSync", "SyncFail", "Skip"];
/// Words that stand in the column of the status for what an operation did, not for what is.
const RESULTS: [&str; 5] = ["Running", "Succeeded", "Failed", "Error", "Terminating"];

impl Row {
    fn parse(line: &str) -> Self {
        let mut rest = line;
        let next = |rest: &mut &str| {
            let text = rest.trim_start();
            let end = text.find(' ').unwrap_or(text.len());
            let (word, after) = text.split_at(end);
            *rest = after;
            word.to_owned()
        };
        let peek = |rest: &str| rest.split_whitespace().next().unwrap_or_default().to_owned();
        let mut row = Self::default();
        if peek(rest).starts_with(|first: char| first.is_ascii_lowercase()) {
            row.group = next(&mut rest);
        }
        row.kind = next(&mut rest);
        if row.kind != "Namespace" {
            row.namespace = next(&mut rest);
        }
        row.name = next(&mut rest);
        let words = ["Synced", "OutOfSync", "Unknown"];
        if words.contains(&peek(rest).as_str()) || RESULTS.contains(&peek(rest).as_str()) {
            row.status = next(&mut rest);
        }
        let is_health = |word: &str| {
            HEALTH.contains(&word)
                || (RESULTS.contains(&row.status.as_str())
                    && matches!(word, "Synced" | "Pruned" | "PruneSkipped" | "SyncFailed"))
        };
        if is_health(&peek(rest)) {
            row.health = next(&mut rest);
        }
        if HOOKS.contains(&peek(rest).as_str()) {
            row.hook = next(&mut rest);
        }
        row.message = rest.trim_start().to_owned();
        row
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.group, &self.kind, &self.namespace, &self.name)
            == (&other.group, &other.kind, &other.namespace, &other.name)
    }

    /// Returns true when an operation has said something of the resource.
    fn is_told(&self) -> bool {
        self.is_only_a_result() || !self.message.is_empty()
    }

    fn is_only_a_result(&self) -> bool {
        !self.hook.is_empty() || RESULTS.contains(&self.status.as_str())
    }

    fn key(&self) -> Value {
        json!({"group": self.group, "version": "v1", "kind": self.kind, "namespace": self.namespace, "name": self.name})
    }

    fn known(&self) -> Value {
        let mut entry = self.key();
        entry["status"] = self.status.clone().into();
        if !self.health.is_empty() {
            entry["health"] = json!({"status": self.health});
        }
        entry
    }

    fn result(&self) -> Value {
        let mut entry = self.key();
        entry["message"] = self.message.clone().into();
        if self.message.contains("requires pruning") {
            entry["status"] = "PruneSkipped".into();
        }
        if self.is_only_a_result() {
            entry["hookPhase"] = self.status.clone().into();
            entry["status"] = self.health.clone().into();
            entry["hookType"] = self.hook.clone().into();
        }
        entry
    }
}

/// What a command printed about one Application.
struct Page {
    stream: Vec<Row>,
    base: Object,
    table: Vec<Row>,
}

/// Returns the pages of an output, one for each Application.
fn pages(text: &str) -> Vec<Page> {
    let mut pages: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        if pages.is_empty() || line.starts_with("TIMESTAMP") {
            pages.push(Vec::new());
        }
        pages.last_mut().unwrap().push(line);
    }
    pages.into_iter().map(|lines| page(&lines)).collect()
}

fn page(lines: &[&str]) -> Page {
    let is_stream = |line: &&&str| line.starts_with("2026-") && line.as_bytes().get(10) == Some(&b'T');
    let stream = lines.iter().filter(is_stream).map(|line| Row::parse(&line[25..])).collect();
    let table = lines.iter().skip_while(|line| !line.starts_with("GROUP ")).skip(1);
    let table: Vec<Row> = table.take_while(|line| !line.is_empty()).map(|line| Row::parse(line)).collect();
    Page { stream, base: base(lines), table }
}

/// Returns the Application of the rows with keys, without resources.
fn base(lines: &[&str]) -> Object {
    let value = |key: &str| {
        let found = lines.iter().find_map(|line| line.strip_prefix(&format!("{key}:")));
        found.map(|text| text.trim().to_owned()).unwrap_or_default()
    };
    let qualified = value("Name");
    let (namespace, name) = qualified.split_once('/').unwrap();
    let mut app = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": namespace, "labels": {"team": "a"}},
        "spec": {"project": value("Project"), "destination": {"server": value("Server"), "namespace": value("Namespace")}},
        "status": {"health": {"status": value("Health Status")}, "reconciledAt": "2026-11-22T00:00:00Z"}
    }));
    let sources = sources(lines);
    if lines.contains(&"Sources:") {
        app.set(&["spec", "sources"], sources);
    } else {
        app.set(&["spec", "source"], sources[0].clone());
    }
    match value("Sync Policy").as_str() {
        "Automated" => app.set(&["spec", "syncPolicy", "automated"], json!({})),
        "Automated (Prune)" => app.set(&["spec", "syncPolicy", "automated"], json!({"prune": true})),
        _ => {}
    }
    let sync = value("Sync Status");
    app.set(&["status", "sync", "status"], sync.split(' ').next().unwrap());
    if let Some((_, short)) = sync.split_once('(') {
        app.set(&["status", "sync", "revision"], format!("{}{}", &short[..7], "0".repeat(33)));
    }
    let parameters = lines.iter().skip_while(|line| !line.starts_with("NAME ")).skip(1);
    let parameters: Vec<Value> = parameters
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| json!({"name": name, "value": value.trim()}))
        .collect();
    if !parameters.is_empty() {
        app.set(&["spec", "source", "helm", "parameters"], parameters);
    }
    app.set(&["status", "history"], json!([{"id": 0}, {"id": 1}]));
    if lines.iter().any(|line| line.starts_with("Phase:")) {
        app.set(&["status", "operationState"], operation(&value));
    }
    app
}

fn sources(lines: &[&str]) -> Vec<Value> {
    let fields = [
        ("- Repo:", "/repoURL"),
        ("  Target:", "/targetRevision"),
        ("  Path:", "/path"),
        ("  Name Prefix:", "/kustomize/namePrefix"),
    ];
    let mut sources: Vec<Object> = Vec::new();
    for line in lines {
        for (label, pointer) in fields {
            let Some(text) = line.strip_prefix(label) else { continue };
            if label == "- Repo:" {
                sources.push(Object::default());
            }
            let path: Vec<&str> = pointer.split('/').skip(1).collect();
            sources.last_mut().unwrap().set(&path, text.trim());
        }
    }
    sources.into_iter().map(Object::into_value).collect()
}

fn operation(value: &impl Fn(&str) -> String) -> Value {
    let time = |key: &str| value(key).replacen(' ', "T", 1).replace(" +0000 UTC", "Z");
    let mut state = json!({"phase": value("Phase"), "startedAt": time("Start"), "finishedAt": time("Finished"),
        "message": value("Message"), "operation": {"sync": {}}});
    let revision = value("Sync Revision");
    match revision.split_once(", ") {
        Some((first, second)) => {
            state["syncResult"] = json!({"sources": [{}, {}], "revisions": [first, second]});
        }
        None => state["syncResult"] = json!({"revision": revision}),
    }
    state
}

/// Returns the states of each Application in order: what was there first, what came while the command waited, and what it
/// showed at the end.
pub fn states(text: &str) -> Vec<Vec<Object>> {
    pages(text).iter().map(of_page).collect()
}

fn of_page(page: &Page) -> Vec<Object> {
    let unseen = |row: &&Row| !row.is_only_a_result() && !page.stream.iter().any(|seen| seen.is_same(row));
    let unseen: Vec<Row> = page.table.iter().filter(unseen).cloned().collect();
    let mut states = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut batch: Vec<Row> = Vec::new();
    for row in &page.stream {
        let begins = row.is_told() && batch.iter().all(|seen| !seen.is_told());
        if batch.iter().any(|seen| seen.is_same(row)) || (begins && states.is_empty() && !batch.is_empty()) {
            states.push(running(&page.base, &rows, &unseen, states.len()));
            batch.clear();
        }
        rows.retain(|known| !known.is_same(row));
        rows.push(row.clone());
        batch.push(row.clone());
    }
    if !page.stream.is_empty() || text_begins_with_stream(page) {
        states.push(running(&page.base, &rows, &unseen, states.len()));
    }
    states.push(with_rows(page.base.clone(), &page.table));
    states
}

fn text_begins_with_stream(page: &Page) -> bool {
    page.stream.is_empty() && page.table.is_empty()
}

/// Returns the Application with these rows while an operation runs; before it began when this is the first state and no
/// row is a result.
fn running(base: &Object, rows: &[Row], unseen: &[Row], index: usize) -> Object {
    let mut app = with_rows(base.clone(), &[rows, unseen].concat());
    let begun = index > 0 || rows.iter().any(Row::is_told);
    let operates = base.get(&["status", "operationState"]).is_some();
    if operates && !begun {
        app.remove(&["status", "operationState"]);
    }
    if operates && begun {
        app.remove(&["status", "operationState", "finishedAt"]);
    }
    app
}

fn with_rows(mut app: Object, rows: &[Row]) -> Object {
    let known = rows.iter().filter(|row| !row.is_only_a_result()).map(Row::known);
    app.set(&["status", "resources"], known.collect::<Vec<_>>());
    let results: Vec<Value> = rows.iter().filter(|row| row.is_told()).map(Row::result).collect();
    if !results.is_empty() {
        app.set(&["status", "operationState", "syncResult", "resources"], results);
    }
    app
}

/// Returns the Applications of a recorded table of `app list`.
pub fn listed(text: &str) -> Vec<Object> {
    let Some(header) = text.lines().next() else { return Vec::new() };
    let columns = [
        "NAME",
        "CLUSTER",
        "NAMESPACE",
        "PROJECT",
        "STATUS",
        "HEALTH",
        "SYNCPOLICY",
        "CONDITIONS",
        "REPO",
        "PATH",
        "TARGET",
    ];
    let starts: Vec<usize> =
        columns.iter().map(|column| header.find(&format!("{column} ")).unwrap_or(0)).collect();
    let cell = |line: &str, index: usize| {
        let start = if index + 1 == columns.len() { header.find("TARGET").unwrap() } else { starts[index] };
        let end = match index + 2 {
            next if next < columns.len() => starts[index + 1],
            next if next == columns.len() => header.find("TARGET").unwrap(),
            _ => line.len(),
        };
        line.get(start..end).unwrap_or_default().trim().to_owned()
    };
    text.lines().skip(1).map(|line| from_cells(|index| cell(line, index))).collect()
}

fn from_cells(cell: impl Fn(usize) -> String) -> Object {
    let qualified = cell(0);
    let (namespace, name) = qualified.split_once('/').unwrap();
    let mut app = Object::from_value(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "project": cell(3), "destination": {"server": cell(1), "namespace": cell(2)},
            "source": {"repoURL": cell(8), "path": cell(9), "targetRevision": cell(10)}
        },
        "status": {"sync": {"status": cell(4)}, "health": {"status": cell(5)}}
    }));
    match cell(6).as_str() {
        "Auto" => app.set(&["spec", "syncPolicy", "automated"], json!({})),
        "Auto-Prune" => app.set(&["spec", "syncPolicy", "automated"], json!({"prune": true})),
        _ => {}
    }
    let conditions = cell(7);
    if conditions != "<none>" {
        let all = conditions.split(',').map(|kind| json!({"type": kind})).collect::<Vec<_>>();
        app.set(&["status", "conditions"], all);
    }
    app
}

/// Returns the text with what may differ between two runs made alike: times, and the order of the lines that are printed
/// for one change, which the recorded program leaves to chance.
pub fn comparable(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut batch: Vec<(Row, String)> = Vec::new();
    let flush = |batch: &mut Vec<(Row, String)>, out: &mut Vec<String>| {
        let mut lines: Vec<String> = batch.drain(..).map(|(_, line)| line).collect();
        lines.sort();
        out.extend(lines);
    };
    for line in text.lines() {
        let is_row = line.starts_with("2026-") && line.as_bytes().get(10) == Some(&b'T');
        if is_row {
            let row = Row::parse(&line[25..]);
            if batch.iter().any(|(seen, _)| seen.is_same(&row)) {
                flush(&mut batch, &mut out);
            }
            batch.push((row, line[25..].split_whitespace().collect::<Vec<_>>().join(" ")));
            continue;
        }
        flush(&mut batch, &mut out);
        let header = line.starts_with("TIMESTAMP");
        out.push(if header {
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        } else {
            line.to_owned()
        });
    }
    flush(&mut batch, &mut out);
    out.join("\n")
}
