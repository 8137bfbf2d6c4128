"""Checks deploy/kubernetes: the objects against published schemas, and their numbers against `calc serve`.

    python tests/python/kubernetes.py CALC URL [KUBECTL]

URL is the metrics page of a server, which must have the metric that the autoscaler reads.

With kubectl, the objects are those that `kubectl kustomize` prints; otherwise those of the files that the kustomization
names.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import kubernetes_validate
import yaml
from cloudcoil.models.cert_manager import v1 as cert_manager
from cloudcoil.models.prometheus_operator import v1 as prometheus_operator

from checks import PATIENCE, equal
from metrics import fetch, parse

FOLDER = pathlib.Path(__file__).parents[2] / "deploy/kubernetes"
# Generated from the definitions that cert-manager and Prometheus' operator publish.
CUSTOM = {
    "Certificate": cert_manager.Certificate,
    "Issuer": cert_manager.Issuer,
    "ServiceMonitor": prometheus_operator.ServiceMonitor,
}


def objects(kubectl):
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    named = {"kustomization.yaml", *kustomization["resources"]}
    equal("the files that the kustomization names", named, {path.name for path in FOLDER.iterdir()})
    if kubectl:
        command = [kubectl, "kustomize", str(FOLDER)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
        [image] = kustomization["images"]
        every = list(yaml.safe_load_all(ran.stdout))
        [container] = of_kind("Deployment", every)["spec"]["template"]["spec"]["containers"]
        equal("the image", container["image"], f"{image['newName']}:{image['newTag']}")
        return every
    return [each for name in kustomization["resources"] for each in yaml.safe_load_all((FOLDER / name).read_text())]


def reject_unknown_fields(given, known, path):
    """The models leave out what they do not know."""
    if isinstance(given, dict):
        equal(f"fields of {path} that do not exist", set(given) - set(known), set())
        for name in given:
            reject_unknown_fields(given[name], known[name], f"{path}.{name}")
    elif isinstance(given, list):
        for each, other in zip(given, known, strict=True):
            reject_unknown_fields(each, other, path)


def validate(each):
    if model := CUSTOM.get(each["kind"]):
        # Strict: the API server takes no string for a number.
        validated = model.model_validate_json(json.dumps(each), strict=True).model_dump(by_alias=True, exclude_unset=True)
        reject_unknown_fields(each, validated, each["kind"])
    else:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def of_kind(kind, every, name=None):
    [found] = [each for each in every if each["kind"] == kind and name in (None, each["metadata"]["name"])]
    return found


def settings(program, container):
    """The flags of `calc serve` in effect in the container."""
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [program, *container["args"], "--print-config"]
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE)
    lines = [re.fullmatch(r"--([a-z-]+)=(.*?)\s+# (.*)", line).groups() for line in ran.stdout.splitlines()]
    flags = {"CALC_" + flag.upper().replace("-", "_"): value for flag, value, source in lines if source != "default"}
    equal("the variables that have an effect", flags, variables)
    return {flag: value for flag, value, _ in lines}


def mebibytes(quantity):
    assert quantity.endswith("Mi"), quantity
    return int(quantity[:-2])


def check_pod(program, every):
    deployment = of_kind("Deployment", every)["spec"]
    assert "replicas" not in deployment, "`kubectl apply` would undo what the autoscaler has done"
    pod = deployment["template"]["spec"]
    [container] = pod["containers"]
    flags = settings(program, container)

    drain_delay, grace = int(flags["drain-delay"]), int(flags["grace"])
    # What the documentation of the drain says that a shutdown takes at most; the second 5 s are those of traces.
    assert pod["terminationGracePeriodSeconds"] > drain_delay + grace + 5 + 5, "the kubelet would end a server that drains"
    readiness = container["readinessProbe"]
    assert drain_delay > readiness["periodSeconds"] * readiness["failureThreshold"], "the drain begins before anyone knows"

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert all(set(port) == {"name", "containerPort"} for port in container["ports"]), container["ports"]
    services = {port["name"]: port["port"] for port in of_kind("Service", every)["spec"]["ports"]}
    equal("the ports of the service", services, ports)
    equal("port grpc", f"[::]:{ports['grpc']}", flags["listen"])
    equal("port metrics", f"[::]:{ports['metrics']}", flags["metrics"])
    paths = {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    for probe, path in paths.items():
        numbers = dict(container[probe])
        equal(probe, numbers.pop("httpGet"), {"path": path, "port": "metrics"})
        assert all(number >= 1 for number in numbers.values()), f"{probe}: {numbers}"

    resources = container["resources"]
    equal("the queues and the processors", flags["queues"], resources["requests"]["cpu"])
    quota = int(flags["memory-quota"]) // 2**20
    assert mebibytes(resources["limits"]["memory"]) >= quota + 128, "the kernel ends the server before its quota is reached"

    [mount] = container["volumeMounts"]
    [volume] = pod["volumes"]
    equal("the mount", mount, {"name": volume["name"], "mountPath": mount["mountPath"], "readOnly": True})
    equal("the group that can read the key", pod["securityContext"].get("fsGroup"), pod["securityContext"]["runAsGroup"])
    equal("the mode of the key", volume["secret"]["defaultMode"], 0o440)
    equal("the secret", volume["secret"]["secretName"], of_kind("Certificate", every, "calc")["spec"]["secretName"])
    for flag, key in (("tls-cert", "tls.crt"), ("tls-key", "tls.key")):
        equal(flag, flags[flag], f"{mount['mountPath']}/{key}")


def seconds(duration):
    """Of Go's notation, as far as it is used here."""
    number, unit = re.fullmatch(r"(\d+)([smh])", duration).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def check_certificates(every):
    for each in every:
        if each["kind"] == "Certificate":
            certificate = each["spec"]
            equal("the kind of an issuer", certificate["issuerRef"]["kind"], "Issuer")
            of_kind("Issuer", every, certificate["issuerRef"]["name"])
            assert seconds(certificate.get("renewBefore", "0s")) < seconds(certificate["duration"]), certificate


def check_autoscaler(page, every):
    autoscaler = of_kind("HorizontalPodAutoscaler", every)["spec"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": of_kind("Deployment", every)["metadata"]["name"]}
    equal("what is scaled", autoscaler["scaleTargetRef"], target)
    budget = of_kind("PodDisruptionBudget", every)["spec"]
    # The API server admits one of minAvailable and maxUnavailable.
    equal("the fields of the disruption budget", set(budget), {"maxUnavailable", "selector"})
    away = budget["maxUnavailable"]
    assert 0 < away < autoscaler["minReplicas"] < autoscaler["maxReplicas"], autoscaler
    [metric] = [metric["pods"]["metric"]["name"] for metric in autoscaler["metrics"] if metric["type"] == "Pods"]
    # The adapter's rule is a comment.
    text = (FOLDER / "autoscaler.yaml").read_text()
    equal("the metric of the adapter's rule", re.findall(r"seriesQuery: '(\w+)", text), [metric])
    [pattern, same] = re.findall(r'grpc_service=~"(.*?)"', text)
    equal("the services in both queries", pattern, same)
    available = {dict(labels)["grpc_service"] for name, labels in parse(page) if name == metric}
    selected = {service for service in available if re.fullmatch(pattern, service)}
    equal("the services whose RPCs are counted", selected, {"calc.Calculator", "calc.BatchCalculator"})


def check_references(every):
    """Objects find each other by names and labels, which no schema checks."""
    deployment, service = of_kind("Deployment", every), of_kind("Service", every)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for what, selector in {
        "Deployment": deployment["spec"]["selector"]["matchLabels"],
        "Service": service["spec"]["selector"],
        "PodDisruptionBudget": of_kind("PodDisruptionBudget", every)["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": of_kind("NetworkPolicy", every)["spec"]["podSelector"]["matchLabels"],
    }.items():
        assert selector and selector.items() <= labels.items(), f"{what} selects {selector}"
    monitor = of_kind("ServiceMonitor", every)["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items(), monitor
    names = {port["name"] for port in service["spec"]["ports"]}
    equal("the ports of the service", {port["targetPort"] for port in service["spec"]["ports"]}, names)
    assert {endpoint["port"] for endpoint in monitor["endpoints"]} <= names, monitor
    opened = [port["port"] for rule in of_kind("NetworkPolicy", every)["spec"]["ingress"] for port in rule["ports"]]
    equal("the ports that the policy opens", set(opened), names)
    equal("the address of the service", service["spec"].get("clusterIP"), "None")
    namespace = of_kind("Namespace", every)["metadata"]["name"]
    for each in every:
        # Which kustomize adds.
        equal("the namespace of an object", each["metadata"].get("namespace", namespace), namespace)
    host = f"{service['metadata']['name']}.{namespace}.svc"
    certificate = of_kind("Certificate", every, "calc")["spec"]
    equal("the names of the certificate", certificate["dnsNames"], [host, f"{host}.cluster.local"])
    issuer = of_kind("Issuer", every, certificate["issuerRef"]["name"])["spec"]
    authority = of_kind("Certificate", every, issuer["ca"]["secretName"])["spec"]
    equal("the authority's secret", authority["secretName"], issuer["ca"]["secretName"])


def check_restricted(every):
    """The profile `restricted` of Kubernetes' Pod Security Standards, as far as these pods use its fields."""
    pod = of_kind("Deployment", every)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"]
    equal("seccomp", pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    assert all(set(volume) == {"name", "secret"} for volume in pod["volumes"]), pod["volumes"]
    [container] = pod["containers"]
    expected = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    equal("privileges", container["securityContext"], expected)
    equal("the token of the API server", pod["automountServiceAccountToken"], False)
    labels = of_kind("Namespace", every)["metadata"]["labels"]
    equal("the namespace's profile", labels["pod-security.kubernetes.io/enforce"], "restricted")


def main():
    program, page, *kubectl = sys.argv[1:]
    every = objects(*kubectl or [None])
    for each in every:
        validate(each)
    check_pod(program, every)
    check_references(every)
    check_certificates(every)
    check_autoscaler(fetch(page), every)
    check_restricted(every)


if __name__ == "__main__":
    main()
