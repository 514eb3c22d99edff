using System.CommandLine;
using Grpc.Core;
using Herd.Cli.Processes;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd doctor: finds present and coming problems of a cluster, with advice.</summary>
internal static class DoctorCommand
{
    /// <summary>Bytes that the embedded store needs free: with less a write of it may fail.</summary>
    private const long StoreSpace = 16 << 20;

    /// <summary>Bytes that logs need free.</summary>
    private const long LogSpace = 1 << 20;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the findings as one JSON object, in one line." };
        var command = new Command(
            "doctor",
            "Examines the gateway, the store and the nodes, and reports problems with advice. "
            + "Exits with 1 on an error.")
        {
            json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var found = new DiagnoseResponse { Findings = { Processes(), Space(), await Cluster(cancellation) } };
            if (parsed.GetValue(json))
            {
                Output.WriteJson(found);
            }
            else
            {
                found.Findings.ToList().ForEach(Write);
            }

            return found.Findings.Any(finding => finding.Severity == Severity.Error) ? ExitCodes.Failed : 0;
        });
        return command;
    }

    private static void Write(Finding finding)
    {
        var severity = finding.Severity switch { Severity.Fine => "ok", Severity.Warning => "WARNING", _ => "ERROR" };
        Console.WriteLine($"{severity,-8} {finding.Subject,-9} {finding.Found}");
        if (finding.Advice.Length > 0)
        {
            Console.WriteLine($"{"",-18} {finding.Advice}");
        }
    }

    /// <summary>Findings for processes that 'herd up' started here and that have ended since.</summary>
    private static IEnumerable<Finding> Processes() => (RunState.TryRead()?.Processes ?? [])
        .Where(process => !Machine.IsAlive(process))
        .Select(process => new Finding
        {
            Severity = Severity.Error,
            Subject = "processes",
            Found = $"{process.Name} has ended: {LogTail.Reason(process.Log)}",
            Advice = $"Read {process.Log}, then 'herd down' and 'herd up'.",
        });

    /// <summary>A finding for each full disk of what 'herd up' runs here.</summary>
    private static IEnumerable<Finding> Space() => RunState.TryRead() is not { } state ? [] :
    [
        .. state.Plan.Store is not null ? [] : FullDisk(
            state.Plan.Data,
            StoreSpace,
            $"The store needs {StoreSpace >> 10}. Conversations go on in memory and are not stored.",
            "The store goes on by itself then; what it acknowledged is kept."),
        .. FullDisk(HerdHome.Logs, LogSpace, "What happens is not logged.", "Logs go on by themselves then."),
    ];

    private static IEnumerable<Finding> FullDisk(string folder, long needed, string consequence, string afterwards)
    {
        if (Directory.Exists(folder) && new DriveInfo(folder).AvailableFreeSpace is var free && free < needed)
        {
            yield return new Finding
            {
                Severity = Severity.Error,
                Subject = "disk",
                Found = $"There is no space in {folder}: {free >> 10} KiB are free. {consequence}",
                Advice = $"Free space there. {afterwards}",
            };
        }
    }

    private static async Task<IEnumerable<Finding>> Cluster(CancellationToken cancellation)
    {
        try
        {
            using var gateway = new Gateway();
            var reply = await gateway.Cluster.DiagnoseAsync(new DiagnoseRequest(), cancellationToken: cancellation);
            return reply.Findings;
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
        {
            return
            [
                new Finding
                {
                    Severity = Severity.Error,
                    Subject = "gateway",
                    Found = $"The operators' port {GatewayAddress.Configured().Admin} fails: {Gateway.Explain(e)}",
                    Advice = "Check that the gateway runs, that HERD_ADMIN is the address of its operators' port, "
                        + "and that HERD_ADMIN_KEY is one of its keys.",
                },
            ];
        }
    }
}
