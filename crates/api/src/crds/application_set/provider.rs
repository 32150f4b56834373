//! Hosts of repositories that generators of an ApplicationSet ask.

use crate::crds::schema::{Field, Schema, boolean, field, list, object, required, string, strings};

/// `spec.generators[].scmProvider`, without the fields of all generators.
pub(super) fn scm() -> Schema {
    let filter = object(&[
        field("repositoryMatch", string(), "Regular expression of the repository."),
        field("pathsExist", strings(), "Paths that must be there."),
        field("pathsDoNotExist", strings(), "Paths that must not be there."),
        field("labelMatch", string(), "Regular expression of a label."),
        field("branchMatch", string(), "Regular expression of the branch."),
    ]);
    object(&[
        field("cloneProtocol", string(), "ssh or https."),
        field("filters", list(filter), "Only repositories that match one."),
        field("github", scm_github(), "GitHub."),
        field("gitlab", scm_gitlab(), "GitLab."),
        field("gitea", scm_gitea(), "Gitea."),
        field("bitbucket", scm_bitbucket(), "Bitbucket Cloud."),
        field("bitbucketServer", scm_bitbucket_server(), "Bitbucket Server."),
        field("azureDevOps", scm_azure(), "Azure DevOps."),
        field("awsCodeCommit", scm_aws(), "AWS CodeCommit."),
    ])
}

/// `spec.generators[].pullRequest`, without the fields of all generators.
pub(super) fn pull_request() -> Schema {
    let filter = object(&[
        field("branchMatch", string(), "Regular expression of the branch."),
        field("targetBranchMatch", string(), "Regular expression of the target branch."),
        field("titleMatch", string(), "Regular expression of the title."),
    ]);
    object(&[
        field("filters", list(filter), "Only pull requests that match one."),
        field("continueOnRepoNotFoundError", boolean(), "Whether a missing repository is no error."),
        field("github", pull_github(), "GitHub."),
        field("gitlab", pull_gitlab(), "GitLab."),
        field("gitea", pull_gitea(), "Gitea."),
        field("bitbucket", pull_bitbucket(), "Bitbucket Cloud."),
        field("bitbucketServer", pull_bitbucket_server(), "Bitbucket Server."),
        field("azuredevops", pull_azure(), "Azure DevOps."),
    ])
}

fn api() -> Field {
    field("api", string(), "URL of the API.")
}

fn owner() -> Field {
    required("owner", string(), "Owner.")
}

fn repo() -> Field {
    required("repo", string(), "Repository.")
}

fn only_labels() -> Field {
    field("labels", strings(), "Only pull requests with all these labels.")
}

fn all_branches() -> Field {
    field("allBranches", boolean(), "Whether all branches count, not only the default one.")
}

fn unarchived() -> Field {
    field("excludeArchivedRepos", boolean(), "Leave out archived repositories.")
}

fn secret() -> Schema {
    object(&[
        required("secretName", string(), "Name of the Secret."),
        required("key", string(), "Key in it."),
    ])
}

fn token() -> Field {
    field("tokenRef", secret(), "Token.")
}

fn insecure() -> Field {
    field("insecure", boolean(), "Whether the server's certificate is not verified.")
}

fn authority() -> Field {
    let reference = object(&[
        required("configMapName", string(), "Name of the ConfigMap."),
        required("key", string(), "Key in it."),
    ]);
    field("caRef", reference, "Certificates to trust.")
}

fn github_app() -> Field {
    field("appSecretName", string(), "Secret of a GitHub App, instead of a token.")
}

fn basic_or_bearer() -> [Field; 2] {
    let basic = object(&[
        required("username", string(), "Name of the user."),
        required("passwordRef", secret(), "Password."),
    ]);
    let bearer = object(&[required("tokenRef", secret(), "Token.")]);
    [field("basicAuth", basic, "User and password."), field("bearerToken", bearer, "Token.")]
}

fn scm_github() -> Schema {
    object(&[
        required("organization", string(), "Organisation."),
        api(),
        token(),
        github_app(),
        all_branches(),
        unarchived(),
    ])
}

fn scm_gitlab() -> Schema {
    object(&[
        required("group", string(), "Group."),
        field("includeSubgroups", boolean(), "Whether subgroups count."),
        field("includeSharedProjects", boolean(), "Whether shared projects count; true when absent."),
        field("includeArchivedRepos", boolean(), "Whether archived repositories count."),
        field("topic", string(), "Only projects with this topic."),
        api(),
        token(),
        insecure(),
        authority(),
        all_branches(),
    ])
}

fn scm_gitea() -> Schema {
    object(&[owner(), api().needed(), token(), insecure(), all_branches(), unarchived()])
}

fn scm_bitbucket() -> Schema {
    object(&[
        owner(),
        required("user", string(), "User."),
        required("appPasswordRef", secret(), "App password."),
        all_branches(),
    ])
}

fn project() -> Field {
    required("project", string(), "Project.")
}

fn scm_bitbucket_server() -> Schema {
    object(&[project(), api().needed(), insecure(), authority(), all_branches()]).and(&basic_or_bearer())
}

fn scm_azure() -> Schema {
    object(&[
        required("organization", string(), "Organisation."),
        required("teamProject", string(), "Project."),
        required("accessTokenRef", secret(), "Token."),
        api(),
        all_branches(),
    ])
}

fn scm_aws() -> Schema {
    let tag = object(&[required("key", string(), "Key."), field("value", string(), "Value.")]);
    object(&[
        field("region", string(), "Region."),
        field("role", string(), "Role."),
        field("tagFilters", list(tag), "Only repositories with these tags."),
        all_branches(),
    ])
}

fn pull_github() -> Schema {
    object(&[owner(), repo(), api(), token(), github_app(), only_labels()])
}

fn pull_gitlab() -> Schema {
    object(&[
        project(),
        api(),
        token(),
        insecure(),
        authority(),
        only_labels(),
        field("pullRequestState", string(), "opened, closed, merged or locked; any when absent."),
    ])
}

fn pull_gitea() -> Schema {
    object(&[owner(), repo(), api().needed(), token(), insecure(), only_labels()])
}

fn pull_bitbucket() -> Schema {
    object(&[owner(), repo(), api()]).and(&basic_or_bearer())
}

fn pull_bitbucket_server() -> Schema {
    object(&[project(), repo(), api().needed(), insecure(), authority()]).and(&basic_or_bearer())
}

fn pull_azure() -> Schema {
    object(&[
        required("organization", string(), "Organisation."),
        project(),
        repo(),
        api(),
        token(),
        only_labels(),
    ])
}
