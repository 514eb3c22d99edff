using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>
/// One user: sends a message, reads the answer, sends the next message. When a connection breaks, it resumes the turn
/// at another gateway with the turn's id and its offset, as any client should. Some answers it leaves in the middle.
/// </summary>
internal sealed class ChaosClient(Func<int, Gateway> gateway, int number, ChaosTalk talk)
{
    /// <summary>The trailer that gateways send with every error.</summary>
    private const string Details = "grpc-status-details-bin";

    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly string[] Topics =
    [
        "the sea", "old bridges", "a fox in winter", "how bread is made", "a lighthouse", "the moon", "a long journey",
        "rain",
    ];

    private readonly Random _random = new(unchecked((talk.Seed * 31) + number));

    /// <summary>Apart from the other, so that messages do not depend on the share of answers left.</summary>
    private readonly Random _leaving = new(unchecked((talk.Seed * 37) + number));
    private int _lost;

    public async Task<IReadOnlyList<TurnRecord>> Talk(CancellationToken end, CancellationToken abort)
    {
        var turns = new List<TurnRecord>();
        var conversation = "";
        while (!end.IsCancellationRequested)
        {
            conversation = turns.Count % talk.TurnsPerConversation == 0 ? await Begin(abort) : conversation;
            var turn = await Take(conversation, turns.Count, abort);
            turns.Add(turn);
            if (turn.Failure is not null)
            {
                break;
            }
        }

        return turns;
    }

    private async Task<string> Begin(CancellationToken abort)
    {
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause, abort))
        {
            try
            {
                var reply = await Next().Conversations.CreateConversationAsync(
                    new CreateConversationRequest(), cancellationToken: abort);
                return reply.Conversation.ConversationId;
            }
            catch (RpcException e) when (IsTransient(e) && Stopwatch.GetElapsedTime(started) < MaxSilence)
            {
                _lost++;
            }
        }
    }

    private async Task<TurnRecord> Take(string conversation, int count, CancellationToken abort)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"turn-{number}-{count}");
        var request = new ConverseRequest
        {
            ConversationId = conversation,
            Text = $"Tell me about {Topics[_random.Next(Topics.Length)]}.",
            TurnId = id,
            MaxTokens = talk.AnswerTokens,

            // Half of the clients decode greedily, half sample.
            Sampling = new Sampling { Temperature = number % 2 == 0 ? 0 : 0.8f, Seed = (ulong)_random.Next() },
            Overflow = ContextOverflow.Shift,
        };
        var leaveAfter = LeaveAfter();
        var answer = new StringBuilder();
        var started = Stopwatch.GetTimestamp();
        var record = new TurnRecord
        {
            Conversation = conversation,
            TurnId = id,
            Said = request.Text,
            Streamed = "",
            Tokens = 0,
            IsAcknowledged = false,
            Asked = started,
        };
        var last = started;
        var (epoch, digest) = (0L, 0UL);
        for (var connection = 1; ; connection++)
        {
            record = record with { Connections = connection };
            try
            {
                request.Resume = new AnswerOffset
                {
                    Bytes = Encoding.UTF8.GetByteCount(answer.ToString()),
                    Tokens = record.Tokens,
                    Epoch = epoch,
                    Digest = digest,
                };
                using var call = Next().Conversations.Converse(request, cancellationToken: abort);
                await foreach (var update in call.ResponseStream.ReadAllAsync(abort))
                {
                    if (update.Delta is { } delta)
                    {
                        var gap = Stopwatch.GetElapsedTime(last);
                        last = Stopwatch.GetTimestamp();
                        answer.Append(delta.Text);
                        (epoch, digest) = (delta.Epoch, delta.Digest);
                        record = record with
                        {
                            Tokens = record.Tokens + delta.Tokens,
                            Streamed = answer.ToString(),
                            LongestGap = gap > record.LongestGap ? gap : record.LongestGap,
                            LongestGapEnd = gap > record.LongestGap ? last : record.LongestGapEnd,
                            FirstPiece = record.FirstPiece == TimeSpan.Zero
                                ? Stopwatch.GetElapsedTime(started)
                                : record.FirstPiece,
                        };
                        if (record.Tokens >= leaveAfter)
                        {
                            return record with { IsAborted = true };
                        }
                    }
                    else if (update.Started is not null)
                    {
                        record = record with
                        {
                            Nodes = record.Nodes + 1,
                            Node = update.Started.Node,
                            Failovers = record.Nodes > 0 ? [.. record.Failovers, (last, Stopwatch.GetTimestamp())] : [],
                        };
                    }
                    else if (update.Completed is { Turn.State: TurnState.Completed } completed)
                    {
                        return record with
                        {
                            IsAcknowledged = !completed.Unsaved,
                            IsUnsaved = completed.Unsaved,
                            Timings = completed.Turn.Timings,
                            Warmth = (completed.Turn.Usage.PromptTokens, completed.Turn.Usage.CachedTokens),
                        };
                    }
                }
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.DataLoss)
            {
                // The delivered part is lost: the answer begins anew, and the client discards its part.
                answer.Clear();
                (epoch, digest) = (0, 0);
                record = record with { Tokens = 0, Streamed = "", Restarts = record.Restarts + 1 };
            }
            catch (RpcException e) when (!IsTransient(e))
            {
                return record with { Failure = $"{e.StatusCode}: {e.Status.Detail}" };
            }
            catch (RpcException e) when (Stopwatch.GetElapsedTime(last) > MaxSilence)
            {
                return record with { Failure = $"no data for {MaxSilence.TotalSeconds} s: {e.Status.Detail}" };
            }
            catch (RpcException)
            {
                // Another gateway may respond.
            }

            _lost++;
            await Task.Delay(Pause, abort);
        }
    }

    /// <summary>The tokens after which the client leaves the answer; none of those that it reads to the end.</summary>
    private int LeaveAfter() =>
        _leaving.Next(100) < talk.AbortPercent ? 1 + _leaving.Next(talk.AnswerTokens) : int.MaxValue;

    private Gateway Next() => gateway(number + _lost);

    /// <summary>
    /// True for errors after which a client tries again: those that gateways mark so, and broken connections, which
    /// carry no details.
    /// </summary>
    private static bool IsTransient(RpcException exception) =>
        exception.StatusCode is StatusCode.Unavailable or StatusCode.Aborted or StatusCode.ResourceExhausted
        || (exception.StatusCode is StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled
            && exception.Trailers.Get(Details) is null);
}

/// <summary>The load of a run.</summary>
/// <param name="Clients">Concurrent users.</param>
/// <param name="Seed">The seed of their messages.</param>
/// <param name="AnswerTokens">The maximum of tokens of an answer.</param>
/// <param name="AbortPercent">The share of the answers that their user leaves in the middle, in percent.</param>
/// <param name="TurnsPerConversation">Turns before a user begins another conversation.</param>
internal sealed record ChaosTalk(
    int Clients, int Seed, int AnswerTokens, int AbortPercent = 0, int TurnsPerConversation = 4);
