//! The tree of an Application: its resources and what they own.

use object::{Object, Time};

use super::{ResourceState, resource_states};
use crate::print::{Table, age};

/// One object of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// API group, kind, namespace and name; status and message where the Application knows them.
    pub state: ResourceState,
    /// When it was created.
    pub created: Option<Time>,
    /// Why its health is what it is.
    pub reason: String,
    /// What it owns.
    pub children: Vec<Node>,
}

/// Whether a tree tells ages and reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// It does not.
    Brief,
    /// It does.
    Full,
}

/// Returns the nodes with what the Application knows of them: status and message.
pub fn with_states(app: &Object, mut nodes: Vec<Node>) -> Vec<Node> {
    let states = resource_states(app, &[]);
    for node in &mut nodes {
        if let Some(known) = states.iter().find(|known| known.key() == node.state.key()) {
            node.state.merge(known);
        }
    }
    nodes
}

/// Returns the table of `app get -o tree`.
pub fn tree_table(nodes: &[Node], detail: Detail, now: Time) -> String {
    let mut table = Table::new();
    match detail {
        Detail::Brief => table.line(["KIND/NAME", "STATUS", "HEALTH", "MESSAGE"]),
        Detail::Full => table.line(["KIND/NAME", "STATUS", "HEALTH", "AGE", "MESSAGE", "REASON"]),
    }
    walk(nodes, &mut |branch, node| {
        let ResourceState { kind, name, status, health, message, .. } = node.state.clone();
        let name = format!("{branch}{kind}/{name}");
        match detail {
            Detail::Brief => table.line([name, status, health, message]),
            Detail::Full => {
                table.line([name, status, health, age(node.created, now), message, node.reason.clone()]);
            }
        }
    });
    table.render()
}

/// Returns the table of `app resources --output tree`.
pub fn resource_tree_table(nodes: &[Node]) -> String {
    let mut table = Table::new();
    table.line(["GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"]);
    walk(nodes, &mut |branch, node| {
        let ResourceState { group, kind, namespace, name, .. } = node.state.clone();
        table.line([format!("{branch}{group}"), kind, namespace, name, "No".to_owned()]);
    });
    table.render()
}

/// Calls `show` for each node with what is drawn before it; roots have nothing before them.
fn walk(nodes: &[Node], show: &mut impl FnMut(&str, &Node)) {
    for node in nodes {
        show("", node);
        branches(&node.children, "", show);
    }
}

fn branches(nodes: &[Node], trunk: &str, show: &mut impl FnMut(&str, &Node)) {
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        show(&format!("{trunk}{}", if last { "└─" } else { "├─" }), node);
        branches(&node.children, &format!("{trunk}{}", if last { "  " } else { "│ " }), show);
    }
}
