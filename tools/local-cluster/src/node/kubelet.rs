//! What makes a machine a node: kubelet and kube-proxy, and the scheduler that gives it pods.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::network::POD_RANGE;
use super::{NAME, cgroups, containers, dns, home};
use crate::Error;
use crate::components::{Site, flag};
use crate::processes::Launch;
use crate::programs::{KUBE_PROXY, KUBE_SCHEDULER, KUBELET};

/// The scheduler.
///
/// # Errors
/// When the program cannot be had or its kubeconfig cannot be written.
pub fn scheduler(site: &Site) -> Result<Launch, Error> {
    let kubeconfig = site.write_kubeconfig("scheduler", "system:kube-scheduler", None)?;
    Ok(Launch {
        name: "kube-scheduler",
        program: KUBE_SCHEDULER.path()?,
        arguments: vec![
            flag("kubeconfig", kubeconfig.display()),
            flag("leader-elect", false),
            flag("secure-port", 0),
        ],
    })
}

/// The kubelet.
///
/// # Errors
/// When the program cannot be had or its files cannot be written.
pub fn kubelet(site: &Site, address: Ipv4Addr, number: u8) -> Result<Launch, Error> {
    let kubeconfig =
        site.write_kubeconfig("kubelet", &format!("system:node:{NAME}"), Some("system:nodes"))?;
    let serving = site
        .authority
        .server(NAME, &[NAME, &address.to_string()])?
        .write(home(), "kubelet")?;
    let resolver = home().join("resolv.conf");
    // Names outside the cluster are nobody's business here: nothing beyond this machine is reached.
    fs::write(&resolver, "").map_err(Error::file("write", &resolver))?;
    let configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": site.authority_file() },
        },
        "authorization": { "mode": "Webhook" },
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups::name(number),
        "clusterDNS": [dns::ADDRESS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": format!("unix://{}", containers::SOCKET),
        // Pods are not to go because this machine's disk is full of other things.
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
        "failCgroupV1": false,
        "failSwapOn": false,
        // Images come by import alone; one that is removed doesn't come back.
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": false,
        "podLogsDir": home().join("pod-logs"),
        "resolvConf": resolver,
        "tlsCertFile": serving.certificate,
        "tlsPrivateKeyFile": serving.key,
        "volumePluginDir": home().join("volume-plugins"),
    });
    Ok(Launch {
        name: "kubelet",
        program: KUBELET.path()?,
        arguments: vec![
            flag("config", write("kubelet.json", &configuration)?.display()),
            flag("kubeconfig", kubeconfig.display()),
            flag("root-dir", home().join("kubelet").display()),
            flag("hostname-override", NAME),
            flag("node-ip", address),
        ],
    })
}

/// The proxy, which makes services reachable.
///
/// # Errors
/// When the program cannot be had or its files cannot be written.
pub fn proxy(site: &Site) -> Result<Launch, Error> {
    let kubeconfig = site.write_kubeconfig("proxy", "system:kube-proxy", None)?;
    let configuration = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": POD_RANGE,
        "clientConnection": { "kubeconfig": kubeconfig },
        "hostnameOverride": NAME,
        // These settings are the whole machine's, not the node's.
        "conntrack": { "maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s" },
    });
    Ok(Launch {
        name: "kube-proxy",
        program: KUBE_PROXY.path()?,
        arguments: vec![flag("config", write("proxy.json", &configuration)?.display())],
    })
}

fn write(name: &str, configuration: &Value) -> Result<PathBuf, Error> {
    let file = home().join(name);
    fs::write(&file, configuration.to_string()).map_err(Error::file("write", &file))?;
    Ok(file)
}
