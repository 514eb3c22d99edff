using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Herd.Testing;
using k8s.Models;
using static Herd.Testing.ApiKeys;

namespace Herd.Kubernetes.Tests.Quickstart;

/// <summary>
/// Checks every command of docs/quickstart-kubernetes.md against the manifests, the chart and the script that builds
/// the images.
/// </summary>
public sealed partial class QuickstartTests
{
    private static readonly string[] KubectlVerbs =
        ["apply", "delete", "rollout", "port-forward", "get", "describe", "logs", "scale"];

    private static readonly string Page =
        File.ReadAllText(Path.Combine(Repository.Root, "docs", "quickstart-kubernetes.md"));

    private static readonly IReadOnlyList<Command> Commands = Command.InBlocksOf(Page);
    private const decimal GiB = 1L << 30;

    /// <summary>Every command is of a kind that a test checks.</summary>
    [Fact]
    public void Commands_OfThePage_AreOfKnownKinds() => Assert.All(Commands, command => Assert.True(
        command.Words[0] is "k8s/build-images" or "./herd" or "curl"
        || (command.Words[0] == "kind" && command.Words[1] is "create" or "load" or "delete")
        || (command.Words[0] == "docker" && command.Words[1] is "image" or "exec")
        || (command.Words[0] == "helm" && command.Words[1] is "install" or "uninstall")
        || (command.Words[0] == "kubectl" && KubectlVerbs.Contains(Verb(command))),
        command.ToString()));

    [Fact]
    public void Paths_OfEveryCommand_Exist()
    {
        var paths = Commands.SelectMany(command => command.Words)
            .Where(word => word.StartsWith("k8s/", StringComparison.Ordinal)
                || word.StartsWith("./", StringComparison.Ordinal))
            .ToList();

        Assert.Contains("./herd", paths);
        Assert.All(paths, path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), path));
        Assert.All(
            Commands.Where(command => command.Option("-k") is not null),
            command => AssertFile(command.Option("-k")!, "kustomization.yaml"));
        Assert.All(Find("helm", "install"), command => AssertFile(Arguments(command)[2], "Chart.yaml"));
    }

    /// <summary>The built images are those that the page loads, removes and names, and that pods use.</summary>
    [Fact]
    public async Task Images_OfThePage_AreBuiltLoadedAndUsed()
    {
        var built = await BuiltImages();
        var rendered = await Rendered.FromOverlay("dev");
        var pods = rendered.Pods.Select(made => made.Pod.Spec).ToList();
        var used = pods.SelectMany(pod => pod.Containers).Select(container => container.Image)
            .Concat(pods.SelectMany(pod => pod.Volumes).Select(volume => volume.Image?.Reference).OfType<string>())
            .ToHashSet();

        Assert.Equal(4, built.Count);
        Assert.Equal(Sorted(built), Sorted(used));
        Assert.Equal(Sorted(built), Sorted(Arguments(Assert.Single(Find("kind", "load"))).Skip(2)));
        Assert.Equal(Sorted(built), Sorted(Arguments(Assert.Single(Find("docker", "image"))).Skip(2)));
        Assert.All(built, image => Assert.Contains($"`{image}`", Page, StringComparison.Ordinal));
    }

    [Fact]
    public void Cluster_OfEveryKindCommand_IsTheOneThatIsCreated()
    {
        var name = Assert.Single(Find("kind", "create")).Option("--name");

        Assert.NotNull(name);
        Assert.All(
            Commands.Where(command => command.Words[0] == "kind"),
            command => Assert.Equal(name, command.Option("--name")));
        Assert.All(Find("docker", "exec"), command => Assert.Equal($"{name}-control-plane", command.Words[2]));
    }

    [Fact]
    public async Task Namespace_OfEveryCommand_IsTheOverlays()
    {
        var rendered = await Rendered.FromOverlay("dev");
        var space = Assert.Single(rendered.All<V1Namespace>()).Metadata.Name;

        Assert.All(
            Kubectl.Where(command => command.Option("-k") is null),
            command => Assert.Equal(
                space, Arguments(command) is ["delete", "namespace", var deleted] ? deleted : command.Option("-n")));
        Assert.All(
            Commands.Where(command => command.Words[0] == "helm"),
            command => Assert.Equal(space, command.Option("--namespace")));
        Assert.All(rendered.All<V1Deployment>(), made => Assert.Equal(space, made.Metadata.NamespaceProperty));
    }

    [Fact]
    public async Task Objects_OfEveryCommand_AreRendered()
    {
        var rendered = await Rendered.FromOverlay("dev");
        var named = Kubectl.SelectMany(Arguments).Where(word => word.Contains('/', StringComparison.Ordinal)).ToList();
        var objects = rendered.Objects
            .Select(made => $"{made.Kind.ToLowerInvariant()}/{made.Metadata.Name}").ToHashSet();

        Assert.True(named.Count >= 5);
        Assert.All(named, name => Assert.Contains(name, objects));
        var labels = rendered.Pods.SelectMany(made => made.Pod.Metadata.Labels)
            .Select(label => $"{label.Key}={label.Value}").ToHashSet();
        Assert.All(
            Kubectl.Select(command => command.Option("--selector")).OfType<string>(),
            selector => Assert.Contains(selector, labels));
    }

    /// <summary>
    /// Uninstalling leaves the claims of StatefulSets behind. Kubernetes names them after the set and the pod.
    /// </summary>
    [Fact]
    public async Task Claims_ThatAreDeleted_AreTheCharts()
    {
        var chart = Rendered.Read(await Renderer.Release("herd-dev", "values-dev.yaml"));
        var claims = chart.All<V1StatefulSet>()
            .SelectMany(made => made.Spec.VolumeClaimTemplates.Select(claim => (made, claim)))
            .SelectMany(pair => Enumerable.Range(0, pair.made.Spec.Replicas ?? 1)
                .Select(i => Text($"{pair.claim.Metadata.Name}-{pair.made.Metadata.Name}-{i}")));

        Assert.Equal(
            claims,
            Kubectl.Select(Arguments)
                .Where(words => words is ["delete", "pvc", ..]).SelectMany(words => words.Skip(2)));
        Assert.Equal(
            Find("helm", "install").Select(command => Arguments(command)[1]),
            Find("helm", "uninstall").Select(command => Arguments(command)[1]));
    }

    /// <summary>Each call goes to a forwarded port, with a key of the overlay's secrets.</summary>
    [Fact]
    public async Task Calls_OfThePage_ReachAForwardedPortWithItsKey()
    {
        var rendered = await Rendered.FromOverlay("dev");
        var forwarded = ForwardedPorts(rendered);
        var curl = Assert.Single(Commands, command => command.Words[0] == "curl");
        var url = new Uri(curl.Words[1]);
        Assert.Equal("http", forwarded[url.Port]);
        Assert.Equal("/v1/chat/completions", url.AbsolutePath);
        var key = curl.Words
            .Single(word => word.StartsWith("Authorization: Bearer ", StringComparison.Ordinal)).Split(' ')[^1];
        Assert.Contains(Hash(key), Secret(rendered, "herd-tenants", "tenants.json"), StringComparison.Ordinal);
        var node = rendered.Pods.Single(made => made.Name == "herd-node").Pod.Spec.Containers.Single();
        var model = JsonDocument.Parse(curl.Option("-d")!).RootElement.GetProperty("model").GetString();
        Assert.Equal(Rendered.Variable(node, "Node__Model"), model);
    }

    /// <summary>Each `herd` command goes to a forwarded port, with a key of the overlay's secrets.</summary>
    [Fact]
    public async Task Herd_OfThePage_ReachesAForwardedPortWithItsKey()
    {
        var rendered = await Rendered.FromOverlay("dev");
        var forwarded = ForwardedPorts(rendered);
        var herd = Commands.Where(command => command.Words[0] == "./herd").ToList();

        Assert.True(herd.Count >= 3);
        foreach (var variables in herd.Select(command => command.Variables))
        {
            var isOperators = variables.ContainsKey("HERD_ADMIN");
            var address = new Uri(variables[isOperators ? "HERD_ADMIN" : "HERD_GATEWAY"]);
            Assert.Equal(isOperators ? "admin" : "grpc", forwarded[address.Port]);
            var secret = isOperators
                ? Secret(rendered, "herd-admin", "key-sha256")
                : Secret(rendered, "herd-tenants", "tenants.json");
            Assert.Contains(
                Hash(variables[isOperators ? "HERD_ADMIN_KEY" : "HERD_API_KEY"]), secret, StringComparison.Ordinal);
        }
    }

    /// <summary>The sum of the pods' requests, the volume's size, and the version that image volumes need.</summary>
    [Fact]
    public async Task Needs_OfThePage_AreThoseOfTheOverlay()
    {
        var rendered = await Rendered.FromOverlay("dev");
        var workloads = rendered.All<V1Deployment>().Select(made => (made.Spec.Replicas, made.Spec.Template.Spec))
            .Concat(rendered.All<V1StatefulSet>().Select(made => (made.Spec.Replicas, made.Spec.Template.Spec)))
            .ToList();
        decimal Sum(string resource) => workloads.Sum(made => (made.Replicas ?? 1)
            * made.Spec.Containers.Sum(container => container.Resources.Requests[resource].ToDecimal()));

        AssertOnPage(Text($"The pods request {Sum("cpu"):0.##} cores and {Sum("memory") / GiB:0.##} GiB"));
        Assert.Contains(rendered.Pods, made => made.Pod.Spec.Volumes.Any(volume => volume.Image is not null));
        AssertOnPage("Kubernetes 1.35 or newer");
        var claim = rendered.All<V1StatefulSet>().Single().Spec.VolumeClaimTemplates.Single().Spec;
        AssertOnPage(Text($"a volume of {claim.Resources.Requests["storage"].ToDecimal() / GiB:0.##} GiB"));
    }

    /// <summary>The names of production's secrets and claims that the page names.</summary>
    [Fact]
    public async Task Secrets_OfProduction_AreThoseThatPodsMount()
    {
        var pods = (await Rendered.FromOverlay("production")).Pods.Select(made => made.Pod.Spec).ToList();
        var secrets = pods.SelectMany(pod => pod.Volumes).Select(volume => volume.Secret?.SecretName)
            .Concat(pods.SelectMany(pod => pod.Containers).SelectMany(container => container.Env ?? [])
                .Select(variable => variable.ValueFrom?.SecretKeyRef?.Name))
            .OfType<string>().ToHashSet();
        var claims = pods.SelectMany(pod => pod.Volumes)
            .Select(volume => volume.PersistentVolumeClaim?.ClaimName).OfType<string>().ToHashSet();

        var named = SecretNames().Match(Page).Groups["name"].Captures.Select(name => name.Value);
        Assert.Equal(Sorted(secrets), Sorted(named));
        AssertOnPage($"the claim `{Assert.Single(claims)}`");
    }

    private static IEnumerable<Command> Kubectl => Commands.Where(command => command.Words[0] == "kubectl");

    private static IEnumerable<Command> Find(string program, string verb) =>
        Commands.Where(command => command.Words[0] == program && command.Words[1] == verb);

    private static IOrderedEnumerable<string> Sorted(IEnumerable<string> names) => names.Order(StringComparer.Ordinal);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>The page contains a text, however its lines are wrapped.</summary>
    private static void AssertOnPage(string text) => Assert.Contains(
        text, Page.Replace("\n  ", " ", StringComparison.Ordinal).Replace('\n', ' '), StringComparison.Ordinal);

    private static void AssertFile(string folder, string name) =>
        Assert.True(File.Exists(Path.Combine(Repository.Root, folder, name)), $"{folder}/{name}");

    /// <summary>The names of the services' ports that the page forwards, by their numbers.</summary>
    private static Dictionary<int, string> ForwardedPorts(Rendered rendered) => Kubectl
        .Where(command => Verb(command) == "port-forward")
        .Select(Arguments)
        .SelectMany(words => words.Skip(2).Select(port => rendered.All<V1Service>()
            .Single(service => $"service/{service.Metadata.Name}" == words[1]).Spec.Ports
            .Single(offered => Text($"{offered.Port}") == port)))
        .ToDictionary(port => port.Port, port => port.Name);

    private static string Verb(Command command) => Arguments(command)[0];

    private static IReadOnlyList<string> Arguments(Command command) => command.Arguments("--create-namespace");

    private static string Secret(Rendered rendered, string name, string field) =>
        Encoding.UTF8.GetString(rendered.All<V1Secret>().Single(made => made.Metadata.Name == name).Data[field]);

    /// <summary>The names that the script prints: a copy runs with a dotnet and a builder that do nothing.</summary>
    private static async Task<IReadOnlyList<string>> BuiltImages()
    {
        var folder = Directory.CreateTempSubdirectory("herd-quickstart");
        try
        {
            string Make(params string[] path)
            {
                var file = Path.Combine([folder.FullName, .. path]);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                return file;
            }

            var cancellation = TestContext.Current.CancellationToken;
            File.Copy(Path.Combine(Repository.Root, "k8s", "build-images"), Make("k8s", "build-images"));
            File.Copy(Path.Combine(Repository.Root, "Directory.Build.props"), Make("Directory.Build.props"));
            await File.WriteAllTextAsync(Make("models", "catalog.json"), "{}", cancellation);
            await File.WriteAllTextAsync(Make("models", "none.gguf"), "", cancellation);
            await File.WriteAllTextAsync(Make("bin", "dotnet"), "#!/bin/sh\n", cancellation);
            await Tool.Run(folder.FullName, "chmod", "+x", "bin/dotnet");
            var path = $"PATH={Path.Combine(folder.FullName, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
            var printed = await Tool.Run(folder.FullName, "env", path, "HERD_BUILDER=true", "k8s/build-images");
            return printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [GeneratedRegex(@"secrets\s+\((?:`(?<name>[a-z-]+)`(?:,\s+)?)+\)")]
    private static partial Regex SecretNames();
}
