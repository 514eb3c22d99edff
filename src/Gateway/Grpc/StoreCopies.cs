using System.Runtime.CompilerServices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Storage.Backup;
using Herd.V1;
using StackExchange.Redis;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Grpc;

/// <summary>Sends backups of the store, and receives those to restore.</summary>
internal sealed class StoreCopies(StoreBackup backup, StoreRestore restore)
{
    private const int PieceBytes = 256 << 10;

    public async Task Send(IServerStreamWriter<BackUpStoreResponse> to, CancellationToken cancellation)
    {
        var summary = await Guard(() => backup.Write(
            async bytes =>
            {
                // A line may be longer than a message.
                for (var rest = bytes; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, PieceBytes)..])
                {
                    var piece = ByteString.CopyFrom(rest.Span[..Math.Min(rest.Length, PieceBytes)]);
                    await to.WriteAsync(new BackUpStoreResponse { Piece = piece }, cancellation);
                }
            },
            cancellation));
        await to.WriteAsync(new BackUpStoreResponse { Done = ToProto(summary) }, cancellation);
    }

    public async Task<RestoreStoreResponse> Receive(
        IAsyncStreamReader<RestoreStoreRequest> from, CancellationToken cancellation)
    {
        if (!await from.MoveNext(cancellation) || from.Current.Options is not { } options)
        {
            throw Bad("The first message has no 'options'. Send them before the backup.", "options");
        }

        if (options.Time is not { } time)
        {
            var found = await Guard(() => restore.Check(Pieces(from, cancellation), cancellation));
            return new RestoreStoreResponse { Backup = ToProto(found) };
        }

        var done = await Guard(() => restore.Run(
            Pieces(from, cancellation), time.ToDateTimeOffset(), options.Replace, cancellation));
        return new RestoreStoreResponse
        {
            Restored = done.Restored,
            Replaced = done.Replaced,
            Kept = done.Kept,
            Deleted = done.Deleted,
            Days = done.Days,
            DaysKept = done.DaysKept,
        };
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(
        IAsyncStreamReader<RestoreStoreRequest> from, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (await from.MoveNext(cancellation))
        {
            yield return from.Current.Piece.Memory;
        }
    }

    private static async Task<T> Guard<T>(Func<Task<T>> copy)
    {
        try
        {
            return await copy();
        }
        catch (InvalidDataException e)
        {
            throw Bad(e.Message, "piece");
        }
        catch (ConversationConflictException e)
        {
            throw new HerdException(HerdError.Conflict, $"{e.Message} Repeat the restore.");
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw new HerdException(
                HerdError.StoreUnavailable, "The store does not respond, so it was not finished. Repeat it later.");
        }
    }

    private static Backup ToProto(BackupSummary summary) => new()
    {
        Time = summary.Created.ToTimestamp(),
        Conversations = summary.Conversations,
        Days = summary.Days,
    };
}
