//! Playing a scenario: act, look until it is so, tell.

use std::time::Duration;

use super::act::act;
use super::{Driver, Scenario, ScenarioError, Step, check::check};

/// Wait between two looks.
const PERIOD: Duration = Duration::from_millis(250);

/// A step that came about.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Number of the step, from 1.
    pub number: usize,
    /// The step in a sentence.
    pub step: String,
    /// What was seen, one line an expectation.
    pub seen: Vec<String>,
    /// Output of the step's commands.
    pub output: String,
    /// Time from the action until everything was seen.
    pub took: Duration,
}

/// Plays the whole scenario and returns what was seen.
///
/// Errors: the first step that was not observed in its time, with the last thing seen instead.
pub async fn play(scenario: &Scenario, driver: &dyn Driver) -> Result<Vec<Observed>, ScenarioError> {
    let mut observed = Vec::new();
    let start = driver.clock().now();
    for (index, step) in scenario.steps.iter().enumerate() {
        driver.clock().sleep_until(start.after(step.at()?)).await;
        observed.push(play_step(index + 1, step, driver).await?);
    }
    Ok(observed)
}

/// Plays one step, the `number`th, and returns what was seen.
///
/// Errors: the step was not observed in its time; with the last thing seen instead.
pub async fn play_step(number: usize, step: &Step, driver: &dyn Driver) -> Result<Observed, ScenarioError> {
    let start = driver.clock().now();
    let within = step.within()?;
    let hold = step.hold()?;
    let outcome = async {
        let output = act(step, driver).await?;
        let seen = until(step, driver, within).await?;
        keep(step, driver, hold).await?;
        Ok((output, seen))
    };
    let (output, seen) = outcome.await.map_err(|problem: String| ScenarioError::Step {
        number,
        step: step.step.clone(),
        problem,
    })?;
    let took = driver.clock().now().since(start);
    Ok(Observed { number, step: step.step.clone(), seen, output, took })
}

/// Looks until all expectations hold at once.
async fn until(step: &Step, driver: &dyn Driver, within: Duration) -> Result<Vec<String>, String> {
    let deadline = driver.clock().now().after(within);
    loop {
        match look(step, driver).await {
            Ok(seen) => return Ok(seen),
            Err(problem) if driver.clock().now() >= deadline => return Err(problem),
            Err(_) => driver.clock().sleep(PERIOD).await,
        }
    }
}

/// Looks for a while; the expectations must go on to hold.
async fn keep(step: &Step, driver: &dyn Driver, hold: Duration) -> Result<(), String> {
    let end = driver.clock().now().after(hold);
    while driver.clock().now() < end {
        look(step, driver).await?;
        driver.clock().sleep(PERIOD).await;
    }
    Ok(())
}

async fn look(step: &Step, driver: &dyn Driver) -> Result<Vec<String>, String> {
    let mut seen = Vec::new();
    for expectation in &step.expect {
        seen.push(check(driver, expectation).await?);
    }
    Ok(seen)
}
