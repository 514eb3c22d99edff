using System.Globalization;
using System.Reflection;
using System.Text;
using Herd.Gateway.Hosting;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Nodes;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;

namespace Herd.Docs.Tests;

/// <summary>docs/configuration.md, made from the options' classes and their comments.</summary>
internal static class ConfigurationPage
{
    private static readonly (string Processes, Type Options)[] Sections =
    [
        ("every process but the store", typeof(ClusterOptions)),
        ("nodes", typeof(NodeOptions)),
        ("gateways", typeof(GatewayOptions)),
        ("gateways", typeof(RoutingOptions)),
        ("gateways", typeof(PoisonOptions)),
        ("gateways", typeof(RebalanceOptions)),
        ("gateways", typeof(ScalingOptions)),
    ];

    private static readonly Dictionary<Assembly, XmlComments> Comments = Sections
        .Select(section => section.Options.Assembly).Distinct()
        .ToDictionary(assembly => assembly, assembly => new XmlComments(assembly.GetName().Name!));

    /// <summary>The keys of all settings.</summary>
    public static IReadOnlyList<OptionRow> Rows { get; } =
        [.. Sections.SelectMany(section => OptionRow.From(Name(section.Options), section.Options))];

    public static string Render()
    {
        var page = new StringBuilder(
            """
            # Configuration

            Every setting of Herd's processes. This page is generated from the options' classes. To write it:
            `HERD_UPDATE_DOCS=1 dotnet run --project tests/Docs.Tests`. Without the variable the same command fails if
            the page is out of date.

            A setting is given to a process

            - in its environment: `Node__Slots=16`, with `__` for each `:`. `herd up` passes its own environment on to
              all processes;
            - on its command line: `--Node:Slots=16`. The command line wins.

            List entries are numbered from 0: `Gateway__AdminKeys__0`, `Gateway__AdminKeys__1`. Times are written
            `hh:mm:ss` with fractions: `00:00:01.5`. A process reports all invalid settings at start and exits. An empty
            *default* means that the setting is not set.

            Logs: `Logging__LogLevel__CATEGORY=LEVEL` sets the least level of a category, for example
            `Logging__LogLevel__Orleans=Debug` (`Trace`, `Debug`, `Information`, `Warning`, `Error`, `None`). Traces and
            the variables of `./herd`: [cli.md](cli.md#environment).

            """);
        foreach (var (processes, options) in Sections)
        {
            var section = Name(options);
            page.Append(CultureInfo.InvariantCulture, $"\n## {section}: {processes}\n\n{Summary(options)}\n\n");
            page.Append("| key | environment | type | unit | default | meaning |\n|---|---|---|---|---|---|\n");
            foreach (var row in OptionRow.From(section, options))
            {
                string[] cells =
                    [$"`{row.Key}`", $"`{row.Variable}`", row.Type, row.Unit, row.Value, Meaning(row.Property)];
                page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
            }
        }

        return page.Append(Store()).ToString();
    }

    /// <summary>The options of the store's process, which takes no others.</summary>
    private static string Store()
    {
        var type = Assembly.Load("Herd.Store").GetType("Herd.Store.StoreOptions", throwOnError: true)!;
        var comments = new XmlComments("Herd.Store");
        var page = new StringBuilder("\n## The store's process\n\n");
        page.Append("The embedded store, `Herd.Store`, takes command-line options only.\n\n");
        page.Append("| option | type | meaning |\n|---|---|---|\n");
        foreach (var parameter in type.GetConstructors()[0].GetParameters())
        {
            var kind = parameter.ParameterType == typeof(int) ? "integer" : "text";
            var meaning = comments.Parameter(type.FullName!, parameter.Name!);
            var option = $"--{parameter.Name!.ToLowerInvariant()}";
            page.Append(CultureInfo.InvariantCulture, $"| `{option}` | {kind} | {meaning} |\n");
        }

        return page.ToString();
    }

    private static string Name(Type options) => (string)options.GetField("Section")!.GetValue(null)!;

    private static string Summary(Type type) => Comments[type.Assembly].Summary($"T:{type.FullName}");

    private static string Meaning(PropertyInfo property) => Comments[property.DeclaringType!.Assembly]
        .Summary($"P:{property.DeclaringType.FullName}.{property.Name}").Replace("|", "\\|", StringComparison.Ordinal);
}
