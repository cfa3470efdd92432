//! Pods and containers: they come and go, write, restart, and their logs are rotated. The double and the model change
//! together.

use std::time::Duration;

use apiserver::Pod as Made;

use super::{Step, World};
use crate::{
    script::{Kind, Place, Pod as Planned, Restart},
    story::{Container, Instance, Pod},
};

/// The exit code of a container that SIGTERM ends.
const STOPPED: i32 = 143;

/// The time from the end of a pod's containers to its removal.
const REMOVAL: Duration = Duration::from_millis(700);

impl<'a> World<'a> {
    /// Main containers wait until all init containers have ended.
    pub fn add(&mut self, pod: &Planned) -> bool {
        if self.pods.get(&pod.name).is_some_and(|pod| pod.deleted.is_none()) {
            return false;
        }
        self.bury(&pod.name);
        if !pod.late.is_zero() {
            *self.held.entry(pod.name.clone()).or_default() += 1;
            self.server.hold_status(&format!("{}/{}", pod.namespace, pod.name));
            self.plan_in(pod.late, Step::Report(pod.name.clone()));
        }
        let first = pod.containers.iter().any(|(_, kind)| *kind == Kind::Init);
        let container = |made: Made, (name, kind): &(String, Kind)| match kind {
            Kind::Init => made.running_init_container(name),
            Kind::Sidecar => made.sidecar(name),
            Kind::Main if first => made.container(name).waiting("PodInitializing", ""),
            Kind::Main => made.container(name),
            Kind::Ephemeral => made.ephemeral(name),
        };
        let made = || {
            let made = Made::new(&pod.name).namespace(&pod.namespace).node(&pod.node);
            pod.containers.iter().fold(made, container)
        };
        self.server.add_new_pod(&pod.node, made);
        let now = self.now();
        let Planned { name, namespace, node, .. } = pod;
        let [name_, namespace_, node_] = [name, namespace, node].map(Clone::clone);
        let known = Pod {
            name: name_,
            namespace: namespace_,
            node: node_,
            deleting: None,
            deleted: None,
            ready: vec![(now, true)],
        };
        self.pods.insert(name.clone(), known);
        for (container, kind) in &pod.containers {
            let place = Place { pod: name.clone(), container: container.clone() };
            self.know(&place, *kind);
            if *kind != Kind::Main || !first {
                self.begin(&place, 0);
            }
        }
        self.published(&pod.name);
        true
    }

    /// A container of a pod that is known, without an instance.
    fn know(&mut self, place: &Place, kind: Kind) {
        let pod = &self.pods[&place.pod];
        let container = Container {
            place: place.clone(),
            namespace: pod.namespace.clone(),
            node: pod.node.clone(),
            kind,
            created: self.now(),
            instances: Vec::new(),
            deleted: None,
            meets: Vec::new(),
        };
        self.containers.insert(place.clone(), container);
    }

    /// An ephemeral container begins beside main containers that run.
    pub fn join(&mut self, place: &Place) -> bool {
        let stays = |pod: &Pod| pod.deleting.is_none() && pod.deleted.is_none();
        let is_main = |container: &&Container| container.kind == Kind::Main;
        let mut mains = self.containers.values().filter(|other| other.place.pod == place.pod).filter(is_main);
        if self.containers.contains_key(place)
            || !self.pods.get(&place.pod).is_some_and(stays)
            || !mains.any(|main| self.is_running(&main.place))
        {
            return false;
        }
        self.know(place, Kind::Ephemeral);
        self.begin(place, 0);
        self.server.update_pod(&self.pod_path(&place.pod), |pod| pod.ephemeral(&place.container));
        self.published(&place.pod);
        true
    }

    /// Puts a pod away that is gone, since one of the same name comes.
    fn bury(&mut self, pod: &str) {
        self.past_pods.extend(self.pods.remove(pod));
        self.unready.remove(pod);
        self.waiting.retain(|place| place.pod != pod);
        let places: Vec<Place> = self.places(pod);
        self.past.extend(places.iter().filter_map(|place| self.containers.remove(place)));
    }

    fn places(&self, pod: &str) -> Vec<Place> {
        self.containers.keys().filter(|place| place.pod == pod).cloned().collect()
    }

    /// The apiserver has the status of a pod, unless it is held back. It names the current instance of each container,
    /// unless that waits, and the one before.
    fn published(&mut self, pod: &str) {
        if self.held.contains_key(pod) {
            return;
        }
        let now = self.now();
        for place in self.places(pod) {
            let named = if self.waiting.contains(&place) { 1 } else { 2 };
            let instances = &mut self.container(&place).instances;
            let unnamed = instances.len().saturating_sub(named);
            for (n, instance) in instances.iter_mut().enumerate() {
                if n >= unnamed {
                    instance.known.get_or_insert(now);
                } else if instance.known.is_some() {
                    instance.forgotten.get_or_insert(now);
                }
            }
        }
        let ready = self.is_ready(pod);
        if self.script.setting.ready {
            for place in self.places(pod) {
                let meets = &mut self.container(&place).meets;
                if meets.last().is_none_or(|(_, last)| *last != ready) {
                    meets.push((now, ready));
                }
            }
        }
    }

    /// As its kubelet would report it: all main containers run, and no event says otherwise.
    pub fn is_ready(&self, pod: &str) -> bool {
        let mains = self
            .containers
            .values()
            .filter(|container| container.place.pod == pod && container.kind == Kind::Main);
        let runs = |container: &Container| {
            container.instances.last().is_some_and(|instance| instance.ended.is_none())
        };
        mains.fold(!self.unready.contains(pod), |ready, container| ready && runs(container))
    }

    /// The path of a container on the double.
    pub fn path(&self, place: &Place) -> String {
        format!("{}/{}/{}", self.pods[&place.pod].namespace, place.pod, place.container)
    }

    fn pod_path(&self, pod: &str) -> String {
        format!("{}/{pod}", self.pods[pod].namespace)
    }

    /// A new instance runs on the double.
    fn begin(&mut self, place: &Place, restarts: u32) {
        let started = self.now();
        self.container(place).instances.push(Instance::new(restarts, started));
    }

    pub fn container(&mut self, place: &Place) -> &mut Container {
        self.containers.get_mut(place).expect("a place is asked for only while it is alive")
    }

    pub fn current(&mut self, place: &Place) -> &mut Instance {
        self.container(place).instances.last_mut().expect("it is running")
    }

    /// Its pod exists, and it has begun and not ended for good.
    pub fn is_alive(&self, place: &Place) -> bool {
        let there = self.pods.get(&place.pod).is_some_and(|pod| pod.deleted.is_none());
        there && self.containers.contains_key(place)
    }

    /// Whether no other pod has taken the place since.
    fn is_same(&self, place: &Place, created: Duration) -> bool {
        self.is_alive(place) && self.containers[place].created == created
    }

    pub fn is_running(&self, place: &Place) -> bool {
        let instance = self.containers.get(place).and_then(|container| container.instances.last());
        self.is_alive(place) && instance.is_some_and(|instance| instance.ended.is_none())
    }

    pub fn restart(&mut self, place: &Place, restart: &'a Restart) -> bool {
        if !self.is_running(place) {
            return false;
        }
        if !restart.late.is_zero() {
            self.hold(&place.pod);
            self.plan_in(restart.waits + restart.late, Step::Report(place.pod.clone()));
        }
        if let Some(last) = &restart.last {
            self.write(place, last);
        }
        self.close(place, restart.exit);
        let created = self.container(place).created;
        if restart.waits.is_zero() {
            self.start_again(place, created, restart);
        } else {
            // A pod whose containers are restarted has not ended.
            self.change(place, |pod| pod.terminated(restart.exit, reason(restart.exit)).phase("Running"));
            self.published(&place.pod);
            self.plan_in(restart.waits / 4, Step::BackOff(place.clone(), created, restart.exit));
            self.plan_in(restart.waits, Step::Started(place.clone(), created, restart));
        }
        true
    }

    /// The instance ends, in the model.
    fn close(&mut self, place: &Place, exit: i32) {
        if let Some((stamp, text)) = self.unfinished.remove(place) {
            self.record(place, stamp, text);
        }
        let now = self.now();
        let instance = self.current(place);
        instance.ended = Some(now);
        instance.exit = Some(exit);
        self.renamed.remove(place);
    }

    fn change(&mut self, place: &Place, change: impl FnOnce(Made) -> Made) {
        self.server.update_pod(&self.pod_path(&place.pod), |pod| change(pod.on(&place.container)));
    }

    pub fn back_off(&mut self, place: &Place, created: Duration, exit: i32) {
        if !self.is_same(place, created) {
            return;
        }
        self.tell(format!("{place} waits: CrashLoopBackOff (exit {exit})"));
        self.change(place, |pod| pod.waiting("CrashLoopBackOff", "back-off restarting failed container"));
        self.forget_before(place);
        let now = self.now();
        self.current(place).waits = Some(now);
        self.waiting.insert(place.clone());
        self.forget_previous(place);
        self.published(&place.pod);
    }

    /// The node keeps the log of the last instance that ended, and none before it.
    fn forget_before(&mut self, place: &Place) {
        let now = self.now();
        let instances = &mut self.container(place).instances;
        let count = instances.len();
        for instance in &mut instances[..count.saturating_sub(1)] {
            instance.removed.get_or_insert(now);
        }
    }

    /// Some kubelets keep no log of an instance once the next one runs, or is waited for.
    fn forget_previous(&mut self, place: &Place) {
        let (now, waits) = (self.now(), self.waiting.contains(place));
        let container = self.container(place);
        let (node, count) = (container.node.clone(), container.instances.len());
        if self.forgetful.contains(&node) {
            for instance in &mut self.container(place).instances[..count - usize::from(!waits)] {
                instance.removed.get_or_insert(now);
            }
        }
    }

    /// The same of all containers of a node.
    pub fn forget_all_previous(&mut self, node: &str) {
        let of_node = |container: &&Container| container.node == node && !container.instances.is_empty();
        let places: Vec<Place> =
            self.containers.values().filter(of_node).map(|container| container.place.clone()).collect();
        places.iter().for_each(|place| self.forget_previous(place));
    }

    pub fn start_again(&mut self, place: &Place, created: Duration, restart: &Restart) {
        if !self.is_same(place, created) {
            return;
        }
        let restarts = self.current(place).restarts + 1;
        let exit = restart.exit;
        if restart.waits.is_zero() {
            self.change(place, |pod| pod.terminated(exit, reason(exit)).running().restarts(restarts));
        } else {
            self.change(place, |pod| pod.running().restarts(restarts).without_phase());
            self.tell(format!("{place} runs again"));
        }
        self.forget_before(place);
        let now = self.now();
        self.current(place).previous = Some(now);
        self.begin(place, restarts);
        self.waiting.remove(place);
        self.forget_previous(place);
        self.published(&place.pod);
    }

    pub fn end(&mut self, place: &Place, exit: i32) -> bool {
        if !self.is_running(place) {
            return false;
        }
        self.close(place, exit);
        self.change(place, |pod| pod.terminated(exit, reason(exit)));
        let of_pod = |container: &&Container| container.place.pod == place.pod;
        let is_done = |container: &Container| {
            container.instances.last().is_some_and(|instance| instance.exit == Some(0))
        };
        let containers: Vec<&Container> = self.containers.values().filter(of_pod).collect();
        if containers
            .iter()
            .filter(|container| container.kind == Kind::Init)
            .all(|container| is_done(container))
        {
            let waiting = containers.iter().filter(|container| container.instances.is_empty());
            let waiting: Vec<Place> = waiting.map(|container| container.place.clone()).collect();
            for place in waiting {
                self.change(&place, Made::running);
                self.begin(&place, 0);
            }
        }
        self.end_the_others(&place.pod);
        self.published(&place.pod);
        true
    }

    /// A kubelet ends what runs beside the main containers once these have ended.
    fn end_the_others(&mut self, pod: &str) {
        let of_pod = self.containers.values().filter(|container| container.place.pod == pod);
        let has_ended =
            |container: &&Container| container.instances.last().is_some_and(|last| last.ended.is_some());
        let (mains, others): (Vec<_>, Vec<_>) = of_pod.partition(|container| container.kind == Kind::Main);
        if !mains.iter().all(has_ended) {
            return;
        }
        let others = others.into_iter().filter(|other| !has_ended(other));
        let places: Vec<Place> = others.map(|other| other.place.clone()).collect();
        for place in places {
            self.close(&place, STOPPED);
            self.change(&place, |pod| pod.terminated(STOPPED, reason(STOPPED)));
        }
    }

    fn hold(&mut self, pod: &str) {
        *self.held.entry(pod.to_owned()).or_default() += 1;
        self.server.hold_status(&self.pod_path(pod));
    }

    pub fn report(&mut self, pod: &str) {
        let Some(held) = self.held.get_mut(pod) else { return };
        *held -= 1;
        if *held > 0 || self.pods[pod].deleted.is_some() {
            return;
        }
        self.held.remove(pod);
        self.tell(format!("the status of {pod} is reported"));
        self.server.report_status(&self.pod_path(pod));
        self.published(pod);
    }

    pub fn set_ready(&mut self, pod: &str, ready: bool) -> bool {
        let now = self.now();
        let Some(known) = self.pods.get_mut(pod).filter(|pod| pod.deleted.is_none()) else { return false };
        known.ready.push((now, ready));
        if ready {
            self.unready.remove(pod);
        } else {
            self.unready.insert(pod.to_owned());
        }
        self.server.update_pod(&self.pod_path(pod), |pod| match ready {
            true => pod.without_condition("Ready"),
            false => pod.condition("Ready", false),
        });
        self.published(pod);
        true
    }

    pub fn delete(&mut self, pod: &str, grace: Option<Duration>) -> bool {
        let now = self.now();
        let known = self.pods.get_mut(pod).filter(|pod| pod.deleting.is_none() && pod.deleted.is_none());
        let Some(known) = known else { return false };
        known.deleting = Some(now);
        let Some(grace) = grace else {
            self.remove(pod);
            return true;
        };
        self.server.update_pod(&self.pod_path(pod), Made::deleting);
        self.plan_in(grace, Step::Killed(pod.to_owned()));
        self.plan_in(grace + REMOVAL, Step::Gone(pod.to_owned()));
        true
    }

    pub fn delete_namespace(&mut self, namespace: &str, grace: Duration) -> bool {
        let pods = self.pods.values().filter(|pod| pod.namespace == namespace && pod.deleting.is_none());
        let pods: Vec<String> = pods.map(|pod| pod.name.clone()).collect();
        for pod in &pods {
            self.delete(pod, Some(grace));
        }
        !pods.is_empty()
    }

    /// All containers of a pod end, and its status says so.
    pub fn kill(&mut self, pod: &str) {
        if self.pods[pod].deleted.is_some() {
            return;
        }
        self.tell(format!("the containers of {pod} end"));
        for place in self.places(pod) {
            if self.is_running(&place) {
                self.close(&place, 143);
                self.change(&place, |pod| pod.terminated(143, "Error"));
            }
        }
        self.published(pod);
    }

    /// The containers that run end with the removal of their pod.
    pub fn remove(&mut self, pod: &str) {
        if self.pods[pod].deleted.is_some() {
            return;
        }
        let places = self.places(pod);
        for place in &places {
            if self.is_running(place) {
                self.close(place, 137);
            }
        }
        self.server.delete_pod(&self.pod_path(pod));
        self.tell(format!("{pod} is gone"));
        let now = self.now();
        if let Some(pod) = self.pods.get_mut(pod) {
            pod.deleted = Some(now);
        }
        for place in &places {
            let container = self.container(place);
            container.deleted = Some(now);
            for instance in &mut container.instances {
                instance.removed.get_or_insert(now);
                instance.forgotten = instance.forgotten.or(instance.known.and(Some(now)));
            }
        }
    }
}

fn reason(exit: i32) -> &'static str {
    match exit {
        0 => "Completed",
        137 => "OOMKilled",
        _ => "Error",
    }
}
