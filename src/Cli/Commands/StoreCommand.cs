using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Herd.Inference.Files;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd store: backups of the store, while the cluster runs.</summary>
internal static class StoreCommand
{
    private const int PieceBytes = 256 << 10;

    public static Command Create() => new("store", "Backs up and restores the conversations of a cluster that runs.")
    {
        CreateBackup(), CreateRestore(),
    };

    private static Command CreateBackup()
    {
        var file = new Argument<string>("file") { Description = "The file to write. It must not exist." };
        var json = NewJsonOption();
        var command = new Command(
            "backup", "Writes all stored conversations and the ledger of used tokens to a file, with a check sum.")
        {
            file, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(file)!;
            var backup = await Save(path, cancellation);
            if (parsed.GetValue(json))
            {
                Output.WriteJson(backup);
            }
            else
            {
                Console.WriteLine(
                    $"{path} has {backup.Conversations} conversations and {backup.Days} days of the ledger");
            }

            return 0;
        });
        return command;
    }

    private static Command CreateRestore()
    {
        var file = new Argument<string>("file") { Description = "A file that 'herd store backup' wrote." };
        var replace = new Option<bool>("--replace")
        {
            Description = "Replaces conversations that are there too; their answers in progress end.",
        };
        var check = new Option<bool>("--check")
        {
            Description = "Only reads the file to its end, and changes nothing.",
        };
        var json = NewJsonOption();
        var command = new Command(
            "restore",
            "Restores conversations that are not there, and days of the ledger. What was deleted since stays deleted. "
            + "A damaged file changes nothing.")
        {
            file, replace, check, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            await using var stream = File.OpenRead(parsed.GetValue(file)!);
            var options = new RestoreOptions { Replace = parsed.GetValue(replace) };
            var result = await Send(gateway, stream, options, cancellation);
            if (!parsed.GetValue(check))
            {
                options.Time = result.Backup.Time;
                var done = await Send(gateway, stream, options, cancellation);
                done.Backup = result.Backup;
                result = done;
            }

            if (parsed.GetValue(json))
            {
                Output.WriteJson(result);
            }
            else
            {
                Console.WriteLine(Describe(result, parsed.GetValue(check)));
            }

            return 0;
        });
        return command;
    }

    /// <summary>Writes the file under another name until it is whole.</summary>
    private static async Task<Backup> Save(string path, CancellationToken cancellation)
    {
        if (Path.Exists(path))
        {
            throw new CliException($"{path} exists. Name a file that does not.");
        }

        var draft = path + ".draft";
        try
        {
            using var gateway = new Gateway();
            Backup? done = null;
            await using (var to = PrivateFile.Create(draft, FileMode.Create))
            {
                using var call = gateway.Cluster.BackUpStore(
                    new BackUpStoreRequest(), cancellationToken: cancellation);
                await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    done = response.Done ?? done;
                    await to.WriteAsync(response.Piece.Memory, cancellation);
                }

                to.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: false);
            return done ?? throw new CliException("the gateway ended the backup early. Try again.");
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }

    private static async Task<RestoreStoreResponse> Send(
        Gateway gateway, FileStream file, RestoreOptions options, CancellationToken cancellation)
    {
        using var call = gateway.Cluster.RestoreStore(cancellationToken: cancellation);
        try
        {
            await call.RequestStream.WriteAsync(new RestoreStoreRequest { Options = options }, cancellation);
            file.Position = 0;
            var piece = new byte[PieceBytes];
            while (await file.ReadAsync(piece, cancellation) is > 0 and var read)
            {
                await call.RequestStream.WriteAsync(
                    new RestoreStoreRequest { Piece = ByteString.CopyFrom(piece, 0, read) }, cancellation);
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.OK or StatusCode.Cancelled)
        {
            // The gateway has refused the file before its end. Its answer says why.
        }

        return await call.ResponseAsync;
    }

    private static string Describe(RestoreStoreResponse result, bool isCheck) => isCheck
        ? $"the backup of {result.Backup.Time.ToDateTimeOffset():u} is whole: {result.Backup.Conversations} "
            + $"conversations, {result.Backup.Days} days of the ledger"
        : $"restored {result.Restored} conversations and {result.Days} days of the ledger; replaced {result.Replaced}; "
            + $"{result.Kept} were there and stay, {result.Deleted} were deleted since and stay deleted, "
            + $"{result.DaysKept} days were there and stay";

    private static Option<bool> NewJsonOption() =>
        new("--json") { Description = "Print the result as one JSON object, in one line." };
}
