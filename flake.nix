{
  description = "Tails the logs of every container that matches on a Kubernetes cluster";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (nixpkgs.lib.importTOML ./Cargo.toml).workspace.package;
    in
    {
      packages = forEach (pkgs: rec {
        default = stern-rs;
        stern-rs = pkgs.rustPlatform.buildRustPackage {
          pname = "stern-rs";
          inherit (manifest) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          cargoBuildFlags = [
            "--bin"
            "stern-rs"
          ];
          # They need a terminal and the network of the machine.
          doCheck = false;
          nativeBuildInputs = [
            pkgs.cmake
            pkgs.installShellFiles
          ];
          dontUseCmakeConfigure = true;
          env = {
            STERN_RS_COMMIT = self.shortRev or "";
            SOURCE_DATE_EPOCH = toString self.lastModified;
          };
          postInstall = ''
            ln -s stern-rs $out/bin/kubectl-stern_rs
            ln -s stern-rs $out/bin/kubectl_complete-stern_rs
            installManPage docs/stern-rs.1
            installShellCompletion --cmd stern-rs \
              --bash completions/stern-rs.bash \
              --zsh completions/_stern-rs \
              --fish completions/stern-rs.fish
          '';
          meta = {
            description = "Tails the logs of every container that matches on a Kubernetes cluster";
            homepage = manifest.repository;
            license = pkgs.lib.licenses.asl20;
            mainProgram = "stern-rs";
          };
        };
      });

      apps = forEach (pkgs: {
        default = {
          type = "app";
          program = pkgs.lib.getExe self.packages.${pkgs.stdenv.hostPlatform.system}.stern-rs;
        };
      });
    };
}
