class SternRs < Formula
  desc "Tails the logs of every container that matches on a Kubernetes cluster"
  homepage "https://github.com/stern-rs/stern-rs"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/stern-rs/stern-rs/releases/download/v@VERSION@/stern-rs-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256:aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/stern-rs/stern-rs/releases/download/v@VERSION@/stern-rs-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256:x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/stern-rs/stern-rs/releases/download/v@VERSION@/stern-rs-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "https://github.com/stern-rs/stern-rs/releases/download/v@VERSION@/stern-rs-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "stern-rs"
    bin.install_symlink "stern-rs" => "kubectl-stern_rs"
    bin.install_symlink "stern-rs" => "kubectl_complete-stern_rs"
    man1.install "stern-rs.1"
    bash_completion.install "completions/stern-rs.bash" => "stern-rs"
    zsh_completion.install "completions/_stern-rs"
    fish_completion.install "completions/stern-rs.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/stern-rs --version")
    assert_match "b", pipe_output("#{bin}/stern-rs --stdin --include b", "a\nb\n", 0)
  end
end
