using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Snapshots;
using Herd.Link.V1;
using Orleans.Serialization;

namespace Herd.Grains.Nodes.Link;

/// <summary>The links of other nodes, by address.</summary>
internal sealed class NodeLinks(ILinkTransport transport, Serializer<NodeReport> reports, TimeProvider time)
{
    private const int MaxConnections = 3;

    /// <summary>Reads a node's reports.</summary>
    /// <param name="address">The address of its link.</param>
    /// <param name="timeout">The maximum time between two reports.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="RpcException">The connection broke.</exception>
    /// <exception cref="TimeoutException">No report arrived in time.</exception>
    public async IAsyncEnumerable<NodeReport> Watch(
        string address, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var call = Client(address).Watch(new WatchRequest(), cancellationToken: cancellation);
        while (await call.ResponseStream.MoveNext(cancellation).WaitAsync(timeout, time, cancellation))
        {
            yield return reports.Deserialize(call.ResponseStream.Current.Report.Memory)
                ?? throw new InvalidDataException($"{address} sends an empty report.");
        }
    }

    /// <summary>
    /// Pulls a session's KV cache from another node. It continues over another connection if one breaks.
    /// </summary>
    /// <returns>The KV cache, and the time of the transfer.</returns>
    /// <exception cref="RpcException">The node has no KV cache of the session, or cannot be reached.</exception>
    /// <exception cref="InvalidDataException">The data is damaged, or belongs to another session.</exception>
    public async Task<(SessionState State, TimeSpan Transfer)> Pull(
        string address, string session, string asSession, SnapshotReceiver snapshot, CancellationToken cancellation)
    {
        var digest = ByteString.Empty;
        var ready = 0L;
        for (var connection = 1; ; connection++)
        {
            var before = snapshot.Received;
            try
            {
                using var call = Client(address).PullSession(
                    new PullSessionRequest
                    {
                        Session = session, AsSession = asSession, Received = before, HeaderDigest = digest,
                    },
                    cancellationToken: cancellation);
                await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    switch (response.PartCase)
                    {
                        case PullSessionResponse.PartOneofCase.Header:
                            ready = ready == 0 ? time.GetTimestamp() : ready;
                            snapshot.Begin(response.Header.ToByteArray());
                            digest = ByteString.CopyFrom(SHA256.HashData(response.Header.Span));
                            break;
                        case PullSessionResponse.PartOneofCase.State:
                            snapshot.Append(response.State.Span);
                            break;
                        default:
                            return (snapshot.End(response.Seal.Span), time.GetElapsedTime(ready));
                    }
                }

                throw new InvalidDataException("The KV cache is refused: it ended without a seal.");
            }
            catch (RpcException e) when (
                e.StatusCode == StatusCode.Unavailable && snapshot.Received > before && connection < MaxConnections)
            {
                // The connection broke. The rest comes over the next one.
            }
        }
    }

    private Herd.Link.V1.NodeLinkService.NodeLinkServiceClient Client(string address) => new(transport.To(address));
}
