"""Checks filled manifests of package managers against archives: .ci/manifests.py RELEASE MANIFESTS

RELEASE has the archives and SHA256SUMS, MANIFESTS is the folder that packaging/manifests made. The rules are those that
the package managers check, from their documentation and schemas; and every address, checksum and path that a manifest
names is compared with the archive. Needs python3 with yaml; bash; ruby, if it is there.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import yaml

ROOT = Path(__file__).resolve().parent.parent
RELEASE, MANIFESTS = map(Path, sys.argv[1:3])
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text())
VERSION = CARGO["workspace"]["package"]["version"]
REPOSITORY = CARGO["workspace"]["package"]["repository"]
DOWNLOADS = f"{REPOSITORY}/releases/download/v{VERSION}/"
PROGRAMS = ["stern-rs", "kubectl-stern_rs", "kubectl_complete-stern_rs"]
# What a release has, but for the target that only the checks build.
TARGETS = [line.split()[0] for line in (ROOT / "packaging/targets").read_text().splitlines() if line[:1].isalnum()]
TARGETS = [target for target in TARGETS if not target.endswith("-windows-gnu")]
SUMS = {name: digest for digest, name in (line.split() for line in (RELEASE / "SHA256SUMS").read_text().splitlines())}


def demand(holds, reason):
    if not holds:
        sys.exit(f"{reason}")


def files_of(target):
    """The names in the archive of a target."""
    for archive in RELEASE.glob(f"stern-rs-{VERSION}-{target}.*"):
        if archive.suffix == ".zip":
            return {name.rstrip("/") for name in zipfile.ZipFile(archive).namelist()}
        return set(tarfile.open(archive).getnames())
    sys.exit(f"there is no archive for {target}")


FILES = {target: files_of(target) for target in TARGETS}


def check_download(where, url, digest):
    """Returns the target that is downloaded."""
    demand(url.startswith(DOWNLOADS), f"{where}: {url} is not below {DOWNLOADS}")
    name = url.removeprefix(DOWNLOADS)
    demand(name in SUMS, f"{where}: the release has no {name}")
    demand(digest == SUMS[name], f"{where}: the checksum of {name} is {SUMS[name]}, not {digest}")
    found = re.fullmatch(re.escape(f"stern-rs-{VERSION}-") + r"(.+?)\.(tar\.gz|zip)", name)
    demand(found and found[1] in TARGETS, f"{where}: {name} is no archive of a target")
    return found[1]


def check_all(where, found, suffix):
    wanted = sorted(target for target in TARGETS if suffix in target)
    demand(sorted(found) == wanted, f"{where}: has {sorted(found)}, not {wanted}")


def check_holds(where, target, *paths):
    for path in paths:
        path = f"stern-rs-{VERSION}-{target}/{path}"
        demand(path in FILES[target], f"{where}: the archive of {target} has no {path}")


def check_text(where, document, patterns):
    for key, pattern in patterns.items():
        value = document.get(key)
        demand(isinstance(value, str) and re.fullmatch(pattern, value), f"{where}: {key} is {value!r}, not {pattern}")


def krew():
    manifest = yaml.safe_load((MANIFESTS / "krew/stern-rs.yaml").read_text())
    check_text("krew", manifest, {"apiVersion": r"krew\.googlecontainertools\.github\.com/v1alpha2", "kind": "Plugin"})
    check_text("krew", manifest["metadata"], {"name": "stern-rs"})
    spec = manifest["spec"]
    check_text("krew", spec, {
        "version": r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", "shortDescription": r".{1,50}", "description": r"(?s).+",
        "homepage": "https://.+",
    })
    systems = {"linux": "-linux-", "darwin": "-darwin", "windows": "-windows-"}
    processors = {"amd64": "x86_64-", "arm64": "aarch64-"}
    found = []
    for platform in spec["platforms"]:
        target = check_download("krew", platform["uri"], platform["sha256"])
        labels = platform["selector"]["matchLabels"]
        demand(set(labels) == {"os", "arch"}, f"krew: a selector has {set(labels)}")
        demand(systems[labels["os"]] in target and target.startswith(processors[labels["arch"]]), f"krew: {labels}, {target}")
        installed = set()
        for copied in platform["files"]:
            demand(copied["to"] == ".", f"krew: {copied}")
            # Its globs are those of Go: a star stops at a slash.
            matches = {name for name in FILES[target] if PurePosixPath("/" + name).match("/" + copied["from"])}
            demand(len(matches) == 1, f"krew: {copied['from']} matches {matches} in the archive of {target}")
            installed |= {name.rsplit("/", 1)[1] for name in matches}
        demand(platform["bin"] in installed, f"krew: {platform['bin']} is not among {installed}")
        demand(installed >= {"LICENSE", "THIRD-PARTY"}, "krew: the licences must be installed")
        found.append(target)
    check_all("krew", found, "")


def homebrew():
    path = MANIFESTS / "homebrew/stern-rs.rb"
    text = path.read_text()
    if shutil.which("ruby"):
        subprocess.run(["ruby", "-wc", path], check=True, stdout=subprocess.DEVNULL)
    demand(text.startswith("class SternRs < Formula\n"), "homebrew: the class must be named as the file")
    described = re.search(r'^  desc "(.+)"$', text, re.M)
    demand(described and len(described[1]) <= 80 and not re.match(r"(?i)(an?|the) |stern-rs", described[1]), "homebrew: desc")
    demand('  license "Apache-2.0"\n' in text, "homebrew: license")
    # Homebrew reads it from the addresses, and refuses it twice.
    demand("  version " not in text, "homebrew: version")
    found, installed = [], re.findall(r'^    (?:bin|man1|[a-z]+_completion)\.install "(.+?)"', text, re.M)
    demand(len(installed) == 5, f"homebrew: installs {installed}")
    for system, part in re.findall(r"^  on_(macos|linux) do\n(.*?)^  end$", text, re.M | re.S):
        for processor, url, digest in re.findall(r'on_(arm|intel) do\n +url "(.+)"\n +sha256 "(.+)"\n +end', part):
            target = check_download("homebrew", url, digest)
            expected = {"arm": "aarch64", "intel": "x86_64"}[processor], {"macos": "apple", "linux": "linux"}[system]
            demand(all(word in target for word in expected), f"homebrew: {target} for {system} on {processor}")
            found.append(target)
            check_holds("homebrew", target, *installed)
    check_all("homebrew", [*found, *(target for target in TARGETS if "windows" in target)], "")
    for program in PROGRAMS[1:]:
        demand(f'bin.install_symlink "stern-rs" => "{program}"\n' in text, f"homebrew: does not link {program}")


def scoop():
    manifest = json.loads((MANIFESTS / "scoop/stern-rs.json").read_text())
    known = {"version", "description", "homepage", "license", "architecture", "bin", "checkver", "autoupdate"}
    demand(set(manifest) == known, f"scoop: other keys: {set(manifest) ^ known}")
    demand(manifest["autoupdate"]["hash"] == {"url": "$baseurl/SHA256SUMS"}, "scoop: autoupdate.hash")
    check_text("scoop", manifest, {"version": re.escape(VERSION), "homepage": "https://.+", "license": r"Apache-2\.0"})
    demand(set(manifest["bin"]) == {f"{program}.exe" for program in PROGRAMS}, f"scoop: {manifest['bin']}")
    found = []
    for processor, part in manifest["architecture"].items():
        target = check_download("scoop", part["url"], part["hash"])
        demand(target.startswith({"64bit": "x86_64-", "arm64": "aarch64-"}[processor]), f"scoop: {target} for {processor}")
        demand(part["extract_dir"] == f"stern-rs-{VERSION}-{target}", f"scoop: {part['extract_dir']}")
        check_holds("scoop", target, *manifest["bin"])
        update = manifest["autoupdate"]["architecture"][processor]
        for key in ("url", "extract_dir"):
            demand(update[key].replace("$version", VERSION) == part[key], f"scoop: autoupdate of {processor}: {update[key]}")
        found.append(target)
    check_all("scoop", found, "-windows-")


def winget():
    kinds = {"": "version", ".installer": "installer", ".locale.en-US": "defaultLocale"}
    of = {}
    for suffix, kind in kinds.items():
        path = MANIFESTS / f"winget/stern-rs.stern-rs{suffix}.yaml"
        of[kind] = yaml.safe_load(path.read_text())
        check_text(path.name, of[kind], {
            "PackageIdentifier": r"stern-rs\.stern-rs", "PackageVersion": r'[^\\/:*?"<>|\x01-\x1f]{1,128}',
            "ManifestType": kind, "ManifestVersion": r"1\.10\.0",
        })
        demand(of[kind]["PackageVersion"] == VERSION, f"{path.name}: the version")
        demand(f"manifest.{kind}.1.10.0.schema.json" in path.read_text(), f"{path.name}: names another schema")
    demand(len(list((MANIFESTS / "winget").iterdir())) == 3, "winget: there must be three files")
    check_text("winget", of["version"], {"DefaultLocale": "en-US"})
    check_text("winget", of["defaultLocale"], {
        "PackageLocale": "en-US", "Publisher": ".{2,256}", "PackageName": ".{2,256}", "License": ".{3,512}",
        "ShortDescription": ".{3,256}", "Moniker": r"[^\s]{1,40}",
    })
    demand(len(of["defaultLocale"]["Tags"]) <= 16, "winget: too many tags")
    installer = of["installer"]
    check_text("winget", installer, {"InstallerType": "zip", "NestedInstallerType": "portable"})
    demand(installer["Commands"] == PROGRAMS, f"winget: {installer['Commands']}")
    found = []
    for part in installer["Installers"]:
        target = check_download("winget", part["InstallerUrl"], part["InstallerSha256"])
        demand(target.startswith({"x64": "x86_64-", "arm64": "aarch64-"}[part["Architecture"]]), f"winget: {part}")
        for file in part["NestedInstallerFiles"]:
            folder, program = file["RelativeFilePath"].split("\\")
            demand(folder == f"stern-rs-{VERSION}-{target}", f"winget: {folder}")
            demand(program == file["PortableCommandAlias"] + ".exe", f"winget: {file}")
            check_holds("winget", target, program)
        demand([file["PortableCommandAlias"] for file in part["NestedInstallerFiles"]] == PROGRAMS, "winget: the aliases")
        found.append(target)
    check_all("winget", found, "-windows-")


def aur():
    recipe = MANIFESTS / "aur/PKGBUILD"
    listed = {}
    for line in (MANIFESTS / "aur/.SRCINFO").read_text().splitlines():
        if line:
            key, value = line.strip().split(" = ", 1)
            listed.setdefault(key, []).append(value)
    demand(listed.pop("pkgbase") == listed["pkgname"], "aur: pkgbase")
    needed = set(re.findall(r"^(\w+)=", recipe.read_text(), re.M))
    demand(set(listed) == needed, f"aur: only one of .SRCINFO and PKGBUILD has {set(listed) ^ needed}")
    shown = 'source "$1"; for name in "${@:2}"; do unset -n value; declare -n value=$name; printf "%s\\0" "$name" "${#value[@]}" "${value[@]}"; done'
    words = subprocess.run(["bash", "-ec", shown, "bash", recipe, *listed], check=True, capture_output=True, text=True)
    words = words.stdout.split("\0")[:-1]
    while words:
        name, count, *words = words
        demand(words[: int(count)] == listed[name], f"aur: .SRCINFO has {name} = {listed[name]}, PKGBUILD {words[: int(count)]}")
        words = words[int(count):]
    demand(re.fullmatch(r"[^\s:/-]+", listed["pkgver"][0]), f"aur: pkgver is {listed['pkgver']}")
    demand(listed["pkgver"] == [VERSION.replace("-", "_")], f"aur: pkgver is {listed['pkgver']}")
    found = []
    for processor in listed["arch"]:
        found.append(check_download("aur", listed[f"source_{processor}"][0], listed[f"sha256sums_{processor}"][0]))
        demand(found[-1].startswith(processor), f"aur: {found[-1]} for {processor}")
        check_package(recipe, processor, found[-1])
    check_all("aur", found, "-linux-")


def check_package(recipe, processor, target):
    """Runs package() as makepkg does, and compares with the .rpm's column of packaging/contents."""
    with tempfile.TemporaryDirectory() as work:
        with tarfile.open(RELEASE / f"stern-rs-{VERSION}-{target}.tar.gz") as archive:
            archive.extractall(work)
        script = 'source "$1"; CARCH=$2 pkgdir=$PWD/pkg srcdir=$PWD; package'
        subprocess.run(["bash", "-euc", script, "bash", recipe.resolve(), processor], check=True, cwd=work)
        usr = Path(work) / "pkg/usr"
        made = {str(path.relative_to(usr)) for path in usr.rglob("*") if not path.is_dir()}
        for link in PROGRAMS[1:]:
            demand((usr / "bin" / link).readlink() == Path("stern-rs"), f"aur: {link} does not lead to stern-rs")
    lines = [line.split() for line in (ROOT / "packaging/contents").read_text().splitlines()]
    wanted = {line[4] for line in lines if len(line) == 5 and line[0][0] != "#" and line[4] != "-"}
    # pacman compresses the manual itself, and the package has another name.
    made = {re.sub(r"^(share/(?:doc|licenses)/stern-rs)-bin/", r"\1/", name) for name in made}
    wanted = {name.removesuffix(".gz").replace("vendor-completions", "site-functions") for name in wanted}
    demand(made == wanted, f"aur: the package differs from the .rpm in {sorted(made ^ wanted)}")


def binstall():
    package = CARGO["package"]["metadata"]["binstall"]
    for target in TARGETS:
        windows = "-windows-" in target
        found = package | package["overrides"].get(target, {})
        suffix = {"tgz": ".tar.gz", "zip": ".zip"}[found["pkg-fmt"]]
        values = {
            "repo": REPOSITORY, "name": "stern-rs", "version": VERSION, "target": target, "archive-suffix": suffix,
            "binary-ext": ".exe" if windows else "",
        }
        for program in PROGRAMS[:2]:
            expand = lambda text: re.sub(r"\{ ([a-z-]+) \}", lambda name: (values | {"bin": program})[name[1]], text)
            url = expand(found["pkg-url"])
            demand(url.startswith(DOWNLOADS) and url.removeprefix(DOWNLOADS) in SUMS, f"binstall: the release has no {url}")
            path = expand(found["bin-dir"])
            demand(path in FILES[target], f"binstall: the archive of {target} has no {path}")


def sums():
    for name, digest in SUMS.items():
        demand(hashlib.sha256((RELEASE / name).read_bytes()).hexdigest() == digest, f"SHA256SUMS: {name}")


for check in (sums, krew, homebrew, scoop, winget, aur, binstall):
    check()
    print(f"{check.__name__}: fine")
