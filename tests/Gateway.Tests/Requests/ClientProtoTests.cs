using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Herd.V1;

namespace Herd.Gateway.Tests.Requests;

/// <summary>Messages of gRPC that clients get wrong: at every call, random fields and random bytes.</summary>
public sealed class ClientProtoTests(GatewayServer server) : IClassFixture<GatewayServer>
{
    private const int Messages = 150;

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(sent => sent, received => received);

    private static readonly string[] Texts =
    [
        "", "x", "tiny", "node-1", "conv_00000000000000000000000000000000", "\uFFFD", "\0", "a/b", "{", "{}", "[1]",
        "5",
        """{"type":"object","properties":[]}""", """{"type":"string","description":"\ud83d"}""", "{\"a\":",
        new string('x', 300),
    ];

    public static TheoryData<string, string> Calls
    {
        get
        {
            var calls = new TheoryData<string, string>();
            foreach (var service in new[] { ConversationService.Descriptor, ClusterService.Descriptor })
            {
                // A diagnosis has no fields, and asks the store, which is not here.
                foreach (var method in service.Methods.Where(method => method.Name != "Diagnose"))
                {
                    calls.Add(service.FullName, method.Name);
                }
            }

            return calls;
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_RandomFields_IsServedOrRefused(string service, string name)
    {
        var method = Method(service, name);
        var random = new Random(name.Length);
        for (var i = 0; i < Messages; i++)
        {
            var message = Message(method.InputType, random, depth: 0);

            var status = await Call(service, name, message.ToByteArray());

            AssertClients(status, $"{name} {message}");
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Call_RandomBytes_IsServedOrRefused(string service, string name)
    {
        var method = Method(service, name);
        var random = new Random(name.Length);
        for (var i = 0; i < Messages; i++)
        {
            var bytes = Message(method.InputType, random, depth: 0).ToByteArray();
            bytes = bytes.Length == 0 ? [0xFF] : bytes;
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            bytes = random.Next(2) == 0 ? bytes : bytes[..random.Next(bytes.Length)];

            var status = await Call(service, name, bytes);

            AssertClients(status, $"{name} {Convert.ToHexString(bytes)}");
        }
    }

    private void AssertClients(Status status, string what)
    {
        var context = $"{what}: {status}";
        Assert.False(
            status.StatusCode is StatusCode.Internal or StatusCode.Unknown or StatusCode.DataLoss
                or StatusCode.Unavailable,
            context);
        Assert.True(server.TakeFailures() is [], context);
    }

    private static MethodDescriptor Method(string service, string name) =>
        new[] { ConversationService.Descriptor, ClusterService.Descriptor }
            .Single(known => known.FullName == service).FindMethodByName(name);

    private async Task<Status> Call(string service, string name, byte[] message)
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{server.GrpcPort}");
        var method = new Method<byte[], byte[]>(MethodType.ServerStreaming, service, name, Bytes, Bytes);
        using var call = channel.CreateCallInvoker().AsyncServerStreamingCall(method, null, new CallOptions(), message);
        try
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
                // Only the status matters.
            }

            return call.GetStatus();
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }

    /// <summary>A message with some of its fields, and values at the borders of their types.</summary>
    private static IMessage Message(MessageDescriptor type, Random random, int depth)
    {
        var message = type.Parser.ParseFrom([]);
        foreach (var field in type.Fields.InDeclarationOrder().Where(_ => random.Next(3) > 0))
        {
            if (field.IsMap)
            {
                continue;
            }

            if (field.IsRepeated)
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                for (var i = random.Next(4); i > 0 && depth < 4; i--)
                {
                    list.Add(Value(field, random, depth));
                }
            }
            else if (field.FieldType != FieldType.Message || depth < 4)
            {
                field.Accessor.SetValue(message, Value(field, random, depth));
            }
        }

        return message;
    }

    private static object Value(FieldDescriptor field, Random random, int depth) => field.FieldType switch
    {
        FieldType.String => Texts[random.Next(Texts.Length)],
        FieldType.Bytes => ByteString.CopyFrom(0xFF, 0),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Int32 or FieldType.SInt32 => Pick(random, 0, 1, -1, int.MinValue, int.MaxValue),
        FieldType.UInt32 => Pick(random, 0u, 1u, uint.MaxValue),
        FieldType.Int64 or FieldType.SInt64 => Pick(random, 0L, 1L, -1L, long.MinValue, long.MaxValue),
        FieldType.UInt64 or FieldType.Fixed64 => Pick(random, 0ul, 1ul, ulong.MaxValue),
        FieldType.Float => Pick(random, 0f, 0.5f, -1f, float.NaN, float.PositiveInfinity, float.MaxValue),
        FieldType.Double => Pick(random, 0, 0.5, -1, double.NaN, double.NegativeInfinity),
        FieldType.Enum => Pick(random, 0, 1, 2, -1, 99),
        _ => Message(field.MessageType, random, depth + 1),
    };

    private static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];
}
