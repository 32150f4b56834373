//! The form of the tables: a base and cases that change it.

use api::rollout::{Rollout, SetHeaderRoute, SetMirrorRoute};
use object::{Object, Value};
use traffic::{Additional, Hashes, Managed, Router, Settings, Wanted, Weight};

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub rollout: Rollout,
    pub live: Vec<Object>,
    pub settings: Settings,
    wanted: Value,
    header: Option<SetHeaderRoute>,
    mirror: Option<SetMirrorRoute>,
    pub then: Vec<Object>,
    pub gone: Vec<String>,
    pub events: Vec<String>,
    pub problem: Option<String>,
    pub invalid: Vec<String>,
}

impl Case {
    /// Returns the cases of a file: the first document is what all begin with.
    pub fn read(text: &str) -> Vec<Self> {
        let mut documents = object::yaml::documents(text).unwrap().into_iter();
        let base = documents.next().unwrap();
        documents.map(|case| Self::of(&base, &case)).collect()
    }

    fn of(base: &Value, case: &Value) -> Self {
        let known =
            ["case", "rollout", "live", "settings", "wanted", "then", "gone", "events", "problem", "invalid"];
        for key in case.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{}: unknown key {key}", case["case"]);
        }
        let mut rollout = base["rollout"].clone();
        if let Some(change) = case.get("rollout") {
            patch::merge::apply(&mut rollout, change);
        }
        let live = case.get("live").unwrap_or(&base["live"]);
        let wanted = case["wanted"].clone();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        Self {
            name: case["case"].as_str().expect("a case has a name").to_owned(),
            rollout: Rollout::from_object(&Object::parse(rollout).unwrap()).unwrap(),
            live: objects(live),
            settings: settings(case.get("settings").or(base.get("settings"))),
            header: wanted.get("header").map(|step| api::read(step, "header").unwrap()),
            mirror: wanted.get("mirror").map(|step| api::read(step, "mirror").unwrap()),
            then: objects(&case["then"]),
            gone: texts(&case["gone"]),
            events: texts(&case["events"]),
            problem: case["problem"].as_str().map(str::to_owned),
            invalid: texts(&case["invalid"]),
            wanted,
        }
    }

    /// Returns the routers of the case.
    pub fn routers(&self) -> Vec<Router> {
        let routing = self.rollout.canary().unwrap().traffic_routing.as_ref().unwrap();
        traffic::routers(routing, &self.settings).unwrap()
    }

    /// Returns what the case wants.
    pub fn wanted(&self) -> Wanted<'_> {
        let number = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
        let text = |key: &str| self.wanted[key].as_str().unwrap_or_default().to_owned();
        let mut wanted = Wanted::nothing(&self.rollout);
        wanted.canary.hash = text("canaryHash");
        wanted.stable.hash = text("stableHash");
        wanted.hashes = match self.wanted["hashes"].as_str() {
            Some("update") => Hashes::Update,
            Some("last") => Hashes::UpdateLast,
            _ => Hashes::Keep,
        };
        wanted.weight = self.wanted.get("weight").map(|weight| Weight {
            canary: number(weight),
            max: self.wanted.get("max").map_or(100, number),
            additional: self.wanted["additional"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| Additional {
                    service: one["service"].as_str().unwrap().to_owned(),
                    hash: one["hash"].as_str().unwrap_or_default().to_owned(),
                    weight: number(&one["weight"]),
                })
                .collect(),
        });
        wanted.header = self.header.as_ref();
        wanted.mirror = self.mirror.as_ref();
        if self.wanted["managed"] == "remove" {
            wanted.managed = Managed::Remove;
        }
        wanted
    }
}

fn objects(value: &Value) -> Vec<Object> {
    value.as_array().into_iter().flatten().map(|one| Object::parse(one.clone()).unwrap()).collect()
}

fn settings(value: Option<&Value>) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in value.and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().unwrap().to_owned();
        match key.as_str() {
            "istio" => settings.istio_version = value,
            "trafficSplit" => settings.traffic_split_version = value,
            "tcpRoute" => settings.tcp_route_version = value,
            "tlsRoute" => settings.tls_route_version = value,
            other => panic!("unknown setting {other}"),
        }
    }
    settings
}
