using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd chat: a turn, or a conversation line by line.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var text = new Argument<string?>("TEXT")
        {
            Description = "The message. Without it, an interactive conversation, line by line.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var conversation = new Option<string?>("--conversation")
        {
            Description = "Continues a conversation.", HelpName = "ID",
        };
        var model = new Option<string?>("--model")
        {
            Description = "The model of a new conversation.", HelpName = "ID",
        };
        var system = new Option<string?>("--system")
        {
            Description = "The system message of a new conversation.", HelpName = "TEXT",
        };
        var temperature = new Option<float?>("--temperature")
        {
            Description = "0 always takes the likeliest token. Default: the model's own.", HelpName = "T",
        };
        var seed = new Option<ulong?>("--seed")
        {
            Description = "The same seed gives the same answer.", HelpName = "N",
        };
        var maxTokens = new Option<int?>("--max-tokens")
        {
            Description = "The maximum of tokens of an answer.", HelpName = "N",
        };
        var command = new Command("chat", "Chats with a model.")
        {
            text, conversation, model, system, temperature, seed, maxTokens,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var id = parsed.GetValue(conversation)
                ?? await Begin(gateway, parsed.GetValue(model), parsed.GetValue(system), cancellation);
            var chat = new ChatSession(
                gateway, id, parsed.GetValue(temperature), parsed.GetValue(seed), parsed.GetValue(maxTokens));
            await (parsed.GetValue(text) is { } one
                ? chat.Say(one, ChatSession.NewTurn(), cancellation)
                : Converse(chat, id, cancellation));
            return 0;
        });
        return command;
    }

    private static async Task<string> Begin(
        Gateway gateway, string? model, string? system, CancellationToken cancellation)
    {
        var request = new CreateConversationRequest();
        if (model is not null)
        {
            request.Model = model;
        }

        if (system is not null)
        {
            request.System = system;
        }

        var reply = await gateway.Conversations.CreateConversationAsync(request, cancellationToken: cancellation);
        return reply.Conversation.ConversationId;
    }

    private static async Task Converse(ChatSession chat, string id, CancellationToken cancellation)
    {
        await Console.Error.WriteLineAsync(
            $"Conversation {id}. An empty line, Ctrl-C or Ctrl-D ends it. In an answer, Ctrl-C ends the answer.");
        while (true)
        {
            await Console.Error.WriteAsync("> ");
            var line = await ReadLine(cancellation);
            if (string.IsNullOrWhiteSpace(line))
            {
                return;
            }

            await chat.SayOrStop(line, cancellation);
        }
    }

    /// <summary>
    /// Reads a line on a thread of its own: reading from a terminal does not observe a cancellation.
    /// </summary>
    private static async Task<string?> ReadLine(CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync();
            throw;
        }
    }

    /// <summary>Prints answers to standard output, and statistics to standard error.</summary>
    private sealed class ChatSession(
        Gateway gateway, string conversation, float? temperature, ulong? seed, int? maxTokens)
    {
        /// <summary>Takes a turn. Ctrl-C ends the answer, and the conversation goes on.</summary>
        public async Task SayOrStop(string text, CancellationToken cancellation)
        {
            var turn = NewTurn();
            using var answer = Interrupt.BeginPart();
            try
            {
                await Say(text, turn, answer.Token);
            }
            catch (Exception e) when (answer.IsInterrupted && e is OperationCanceledException or RpcException)
            {
                await Console.Out.WriteLineAsync();
                await Console.Error.WriteLineAsync("[stopped; Ctrl-C again ends the conversation]");
                await Cancel(turn, cancellation);
            }
        }

        /// <summary>The id of a new turn, by which it can be ended.</summary>
        public static string NewTurn() => $"turn_{RandomNumberGenerator.GetHexString(32, lowercase: true)}";

        /// <summary>Ends a turn, and waits until it has ended, so that the next one can begin.</summary>
        private async Task Cancel(string turn, CancellationToken cancellation)
        {
            try
            {
                await gateway.Conversations.CancelTurnAsync(
                    new CancelTurnRequest { ConversationId = conversation, TurnId = turn },
                    cancellationToken: cancellation);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
            {
                // It was stopped before it began.
            }
        }

        public async Task Say(string text, string turn, CancellationToken cancellation)
        {
            var started = Stopwatch.GetTimestamp();
            var firstToken = TimeSpan.Zero;
            var request = Request(text);
            request.TurnId = turn;
            using var call = gateway.Conversations.Converse(request, cancellationToken: cancellation);
            await foreach (var update in call.ResponseStream.ReadAllAsync(cancellation))
            {
                if (update.Delta is { } delta)
                {
                    firstToken = firstToken == TimeSpan.Zero ? Stopwatch.GetElapsedTime(started) : firstToken;
                    await Console.Out.WriteAsync(delta.Text);
                }
                else if (update.Completed is { } completed)
                {
                    await Console.Out.WriteLineAsync();
                    await Console.Error.WriteLineAsync(Summary(completed.Turn, firstToken));
                }
            }
        }

        private ConverseRequest Request(string text)
        {
            var request = new ConverseRequest { ConversationId = conversation, Text = text, Sampling = new Sampling() };
            if (temperature is { } t)
            {
                request.Sampling.Temperature = t;
            }

            if (seed is { } s)
            {
                request.Sampling.Seed = s;
            }

            if (maxTokens is { } m)
            {
                request.MaxTokens = m;
            }

            return request;
        }

        private string Summary(Turn turn, TimeSpan firstToken)
        {
            var decode = turn.Timings.Decode.ToTimeSpan();
            var rate = decode > TimeSpan.Zero ? (turn.Usage.CompletionTokens - 1) / decode.TotalSeconds : 0;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"[{turn.Usage.CompletionTokens} tokens, {Math.Max(0, rate):F0} tokens/s, "
                + $"TTFT {firstToken.TotalMilliseconds:F0} ms, "
                + $"cached {turn.Usage.CachedTokens} of {turn.Usage.PromptTokens}, {turn.Node}, {conversation}]");
        }
    }
}
