//! AppProject.

use super::definition::{Definition, Scope, Subresources};
use super::schema::{Schema, boolean, field, int64, list, map, object, open, required, string, strings};

pub(super) fn app_project() -> Definition {
    let status = object(&[field(
        "jwtTokensByRole",
        map(object(&[field("items", list(token()), "Tokens of the role.")])),
        "Tokens that were issued, by role.",
    )]);
    Definition {
        kind: "AppProject",
        plural: "appprojects",
        short: &["appproj", "appprojs"],
        scope: Scope::Namespaced,
        subresources: Subresources::None,
        columns: &[],
        description: "What a group of Applications may do.",
        schema: object(&[
            required("spec", spec(), "What is allowed."),
            field("status", status.open_throughout(), "What was issued."),
        ]),
    }
}

fn spec() -> Schema {
    let key = object(&[required("keyID", string(), "ID of the key.")]);
    open(&[
        field("description", string().with("maxLength", 255), "For people."),
        field("sourceRepos", strings(), "URLs of repositories, globs; !glob denies."),
        field("sourceNamespaces", strings(), "Namespaces whose Applications may use this project, globs."),
        field("destinations", list(destination()), "Where to deploy, globs; !glob denies."),
        field("destinationServiceAccounts", list(service_account()), "Whom to act as when deploying."),
        field("clusterResourceWhitelist", list(named_kind()), "Cluster-scoped kinds allowed, globs."),
        field("clusterResourceBlacklist", list(named_kind()), "Cluster-scoped kinds denied, globs."),
        field(
            "namespaceResourceWhitelist",
            list(kind()),
            "Namespaced kinds allowed, globs; all when absent.",
        ),
        field("namespaceResourceBlacklist", list(kind()), "Namespaced kinds denied, globs."),
        field("roles", list(role()), "Roles and what they may do."),
        field("syncWindows", list(window()), "When syncs are allowed or denied."),
        field("orphanedResources", orphaned(), "Watch for objects that belong to no Application."),
        field("signatureKeys", list(key), "GnuPG keys commits must be signed with; use sourceIntegrity."),
        field("sourceIntegrity", integrity(), "What sources must prove."),
        field("permitOnlyProjectScopedClusters", boolean(), "Allow only clusters of this project."),
    ])
}

fn destination() -> Schema {
    object(&[
        field("server", string(), "URL of the cluster's API."),
        field("name", string(), "Name of the cluster."),
        field("namespace", string(), "Namespace."),
    ])
}

fn service_account() -> Schema {
    object(&[
        required("server", string(), "URL of the cluster's API, a glob."),
        required("defaultServiceAccount", string(), "ServiceAccount, or namespace:ServiceAccount."),
        field("namespace", string(), "Namespace, a glob."),
    ])
}

fn kind() -> Schema {
    object(&[required("group", string(), "Group."), required("kind", string(), "Kind.")])
}

fn named_kind() -> Schema {
    kind().and(&[field("name", string(), "Name; any when absent.")])
}

fn token() -> Schema {
    object(&[
        required("iat", int64(), "When it was issued, in seconds since 1970."),
        field("exp", int64(), "When it expires, in seconds since 1970."),
        field("id", string(), "Its ID."),
    ])
}

fn role() -> Schema {
    object(&[
        required("name", string(), "Name of the role."),
        field("description", string(), "For people."),
        field("policies", strings(), "Lines such as p, proj:a:b, applications, sync, a/*, allow."),
        field("groups", strings(), "OIDC groups that have the role."),
        field("jwtTokens", list(token()), "Tokens of the role."),
    ])
}

fn window() -> Schema {
    object(&[
        field("kind", string(), "allow or deny."),
        field("schedule", string(), "Begin, in cron form."),
        field("duration", string(), "Length, e.g. 1h."),
        field("timeZone", string(), "Time zone of the schedule; UTC when absent."),
        field("applications", strings(), "Names of Applications, globs."),
        field("namespaces", strings(), "Namespaces of destinations, globs."),
        field("clusters", strings(), "Clusters of destinations, globs."),
        field("manualSync", boolean(), "Whether manual syncs are allowed all the same."),
        field("andOperator", boolean(), "Whether all of the lists must match."),
        field("syncOverrun", boolean(), "Whether a running sync may go on after the window."),
        field("description", string(), "For people."),
    ])
}

fn orphaned() -> Schema {
    let ignored = object(&[
        field("group", string(), "Group, a glob."),
        field("kind", string(), "Kind, a glob."),
        field("name", string(), "Name, a glob."),
    ]);
    object(&[
        field("warn", boolean(), "Whether a condition tells of them; true when absent."),
        field("ignore", list(ignored), "Objects that do not count."),
    ])
}

fn integrity() -> Schema {
    let gpg = object(&[
        required("mode", string(), "none, head or strict."),
        required("keys", strings(), "IDs of keys."),
    ]);
    let repo = object(&[required("url", string(), "URL of the repository, a glob.")]);
    let policy = object(&[
        required("repos", list(repo), "Which repositories."),
        required("gpg", gpg, "GnuPG signatures."),
    ]);
    let git = object(&[required("policies", list(policy), "What is required of which repository.")]);
    object(&[required("git", git, "Of Git repositories.")])
}
