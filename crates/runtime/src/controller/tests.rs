use super::*;
use object::{Object, json};
use tokio::sync::mpsc;

struct Flaky(mpsc::UnboundedSender<Time>, Clock, Mutex<u32>);

impl Reconcile for Flaky {
    async fn reconcile(&self, _key: &Key) -> Result<Next, Failure> {
        let _ = self.0.send(self.1.now());
        let mut left = self.2.lock().unwrap();
        if *left == 0 {
            return Ok(Next::After(Duration::from_secs(60)));
        }
        *left -= 1;
        Err(Failure::new("not yet"))
    }
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_and_success_waits_as_asked() {
    let (sender, mut passes) = mpsc::unbounded_channel();
    let clock = Clock::starting_at(Time::from_unix(0));
    let cache = Cache::new();
    let tasks = Tasks::new();
    let activity = Activity::default();
    let controller =
        Controller::new("flaky", clock.clone()).workers(3).report_to(&activity).reconcile_each(&cache);
    controller.run(Flaky(sender, clock, Mutex::new(3)), &tasks);
    cache.deliver(Object::from_value(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "resourceVersion": "1"}
    })));
    cache.deliver_listed(&[Key::new("", "a")].into());
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(passes.recv().await.unwrap().since(Time::from_unix(0)).as_millis());
    }
    assert_eq!(times[0], 0);
    assert!(times[1] >= 5 && times[2] >= 15 && times[3] >= 35 && times[3] < 60, "{times:?}");
    assert!((60_000..61_000).contains(&(times[4] - times[3])), "{times:?}");
    let work = activity.work().remove("flaky").unwrap();
    assert_eq!((work.endings[&Ending::Failed], work.by_object[&Key::new("", "a")].failed), (3, 3));
    assert!(work.added >= 4 && work.durations.count() >= 4, "{work:?}");
    tasks.stop().await;
}

/// Panics over one object, is done with all others.
struct Touchy(Arc<Mutex<BTreeMap<Key, Vec<Time>>>>, Clock);

impl Reconcile for Touchy {
    async fn reconcile(&self, key: &Key) -> Result<Next, Failure> {
        self.0.lock().unwrap().entry(key.clone()).or_default().push(self.1.now());
        // the panic comes after a wait, as that of a real reconcile would
        self.1.sleep(Duration::from_millis(1)).await;
        assert!(key.name != "bad", "cannot bear {key}");
        Ok(Next::Done)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_over_one_object_is_counted_and_delays_no_other() {
    let (clock, cache, tasks) = (Clock::starting_at(Time::from_unix(0)), Cache::new(), Tasks::new());
    let (activity, passes) = (Activity::default(), Arc::new(Mutex::new(BTreeMap::new())));
    let controller = Controller::new("touchy", clock.clone()).report_to(&activity).reconcile_each(&cache);
    controller.run(Touchy(passes.clone(), clock.clone()), &tasks);
    let names: Vec<String> =
        ["bad".to_owned()].into_iter().chain((0..50).map(|at| format!("good-{at}"))).collect();
    for (version, name) in (1..).zip(&names) {
        cache.deliver(Object::from_value(json!({
            "kind": "Pod", "metadata": {"namespace": "ns", "name": name, "resourceVersion": version.to_string()}
        })));
    }
    cache.deliver_listed(&names.iter().map(|name| Key::new("ns", name)).collect());
    clock.sleep(Duration::from_secs(25)).await;
    let passes = passes.lock().unwrap().clone();
    let bad = &passes[&Key::new("ns", "bad")];
    let gaps: Vec<u128> = bad.windows(2).map(|two| two[1].since(two[0]).as_millis()).collect();
    // the first time it comes after the others
    assert!(gaps[1..].is_sorted() && gaps[0] < 100 && *gaps.last().unwrap() > 5_000, "{gaps:?}");
    for name in &names[1..] {
        let good = &passes[&Key::new("ns", name)];
        assert_eq!(good.len(), 1, "{name}");
        assert!(good[0].since(Time::from_unix(0)) < Duration::from_millis(200), "{name}: {good:?}");
    }
    let work = activity.work().remove("touchy").unwrap();
    let failed = u64::try_from(bad.len()).unwrap();
    assert_eq!(
        (work.panics, work.endings[&Ending::Failed], work.endings[&Ending::Done]),
        (failed, failed, 50)
    );
    tasks.stop().await;
}
