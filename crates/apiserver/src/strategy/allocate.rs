//! Cluster addresses and node ports of Services.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::call::Call;
use crate::field::FieldError;
use crate::status::{Failure, Outcome};
use crate::stored;

/// The addresses of Services: 10.96.0.0/16.
const NETWORK: u32 = 0x0A60_0000;
const ADDRESSES: u32 = 0x1_0000;
const NODE_PORTS: std::ops::RangeInclusive<u64> = 30_000..=32_767;

/// What the Services there are have.
struct Taken {
    addresses: BTreeSet<String>,
    ports: BTreeSet<u64>,
}

impl Taken {
    fn read(call: &Call, except: &str) -> Outcome<Self> {
        let kind = call.kind();
        let page = call.api.store.range(&kind.prefix(), None, None, None)?;
        let mut taken = Self { addresses: BTreeSet::new(), ports: BTreeSet::new() };
        for entry in page.entries.iter().filter(|entry| *entry.key != *except) {
            let service = stored::read(kind, entry);
            let spec = &service["spec"];
            let texts = spec["clusterIPs"].as_array().into_iter().flatten().filter_map(Value::as_str);
            taken.addresses.extend(texts.map(str::to_owned));
            let ports = spec["ports"].as_array().into_iter().flatten();
            taken.ports.extend(ports.filter_map(|port| port["nodePort"].as_u64()));
        }
        Ok(taken)
    }
}

/// Gives a Service its addresses and ports, or keeps those it has.
pub(super) fn service(call: &Call, object: &mut Value, before: Option<&Value>) -> Outcome<()> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let taken = Taken::read(call, &call.kind().key(&call.target.namespace, &name))?;
    let Some(before) = before else { return fresh(call, object, &taken) };
    let (old, new) = (&before["spec"], &mut object["spec"]);
    if new["type"] == "ExternalName" {
        drop_addresses(new);
        return Ok(());
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if new[field].is_null() && !old[field].is_null() {
            new[field] = old[field].clone();
        }
    }
    tidy(new);
    keep_ports(old, new);
    fresh(call, object, &taken)
}

fn tidy(spec: &mut Value) {
    if let Some(map) = spec.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
}

fn drop_addresses(spec: &mut Value) {
    if let Some(map) = spec.as_object_mut() {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            map.remove(field);
        }
    }
}

fn keep_ports(old: &Value, new: &mut Value) {
    if !matches!(new["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        for port in new["ports"].as_array_mut().into_iter().flatten() {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
        return;
    }
    let known = old["ports"].as_array().cloned().unwrap_or_default();
    for port in new["ports"].as_array_mut().into_iter().flatten() {
        let same = |other: &&Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        if let Some(found) = known.iter().find(same).filter(|found| found["nodePort"].is_u64())
            && port["nodePort"].is_null()
        {
            port["nodePort"] = found["nodePort"].clone();
        }
    }
}

fn fresh(call: &Call, object: &mut Value, taken: &Taken) -> Outcome<()> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let spec = &mut object["spec"];
    if !spec.is_object() || spec["type"] == "ExternalName" {
        tidy(spec);
        return Ok(());
    }
    address(call, &name, spec, taken)?;
    let selects = spec["selector"].as_object().is_some_and(|map| !map.is_empty());
    if spec["ipFamilies"].is_null() && spec["clusterIP"] == "None" && !selects {
        spec["ipFamilies"] = json!(["IPv4", "IPv6"]);
        spec["ipFamilyPolicy"] = json!("RequireDualStack");
    }
    if spec["ipFamilies"].is_null() {
        spec["ipFamilies"] = json!(["IPv4"]);
    }
    if spec["ipFamilyPolicy"].is_null() {
        spec["ipFamilyPolicy"] = json!("SingleStack");
    }
    let wants_ports = match spec["type"].as_str() {
        Some("NodePort") => true,
        Some("LoadBalancer") => spec["allocateLoadBalancerNodePorts"] != false,
        _ => false,
    };
    if wants_ports {
        ports(call, &name, spec, taken)?;
    }
    tidy(spec);
    Ok(())
}

fn address(call: &Call, name: &str, spec: &mut Value, taken: &Taken) -> Outcome<()> {
    let wanted = spec["clusterIP"].as_str().or_else(|| spec["clusterIPs"][0].as_str()).unwrap_or_default();
    let address = match wanted {
        "" => free_address(call, taken).ok_or_else(|| Failure::internal("no address is free"))?,
        "None" => "None".to_owned(),
        given => {
            let given = given.to_owned();
            let ours = given.parse().is_ok_and(|ip: Ipv4Addr| u32::from(ip) & 0xFFFF_0000 == NETWORK);
            if !ours || taken.addresses.contains(&given) {
                let why = if ours {
                    "failed to allocate IP ".to_owned() + &given + ": provided IP is already allocated"
                } else {
                    format!(
                        "failed to allocate IP {given}: the provided network does not match the current range"
                    )
                };
                let error = FieldError::invalid("spec.clusterIPs", &json!([given]), why);
                return Err(Failure::invalid(call.kind(), name, &[error]));
            }
            given
        }
    };
    spec["clusterIP"] = address.clone().into();
    spec["clusterIPs"] = json!([address]);
    Ok(())
}

fn free_address(call: &Call, taken: &Taken) -> Option<String> {
    let start = u32::try_from(call.api.random.next() % u64::from(ADDRESSES)).unwrap_or_default();
    let candidates =
        (0..ADDRESSES).map(|step| (start + step) % ADDRESSES).filter(|low| (2..0xFFFF).contains(low));
    let mut texts = candidates.map(|low| Ipv4Addr::from(NETWORK + low).to_string());
    texts.find(|text| !taken.addresses.contains(text))
}

fn ports(call: &Call, name: &str, spec: &mut Value, taken: &Taken) -> Outcome<()> {
    let mut used = taken.ports.clone();
    let list = spec["ports"].as_array_mut();
    for (index, port) in list.into_iter().flatten().enumerate() {
        if let Some(wanted) = port["nodePort"].as_u64() {
            if !NODE_PORTS.contains(&wanted) {
                let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
                let error =
                    FieldError::invalid(format!("spec.ports[{index}].nodePort"), &port["nodePort"], why);
                return Err(Failure::invalid(call.kind(), name, &[error]));
            }
            if !used.insert(wanted) {
                let path = format!("spec.ports[{index}].nodePort");
                let error =
                    FieldError::invalid(path, &port["nodePort"], "provided port is already allocated");
                return Err(Failure::invalid(call.kind(), name, &[error]));
            }
            continue;
        }
        let free = NODE_PORTS.filter(|port| !used.contains(port)).min();
        let Some(free) = free else { return Err(Failure::internal("no node port is free")) };
        used.insert(free);
        port["nodePort"] = free.into();
    }
    Ok(())
}
