using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Herd.Grains.Hosting.Identity;

/// <summary>
/// The certificate by which the processes of a cluster identify each other. Its key is derived from the cluster's
/// secret. Both ends of a connection present it, so a process without the secret can neither join, nor call, nor read
/// (docs/decisions/cluster-identity.md).
/// </summary>
internal sealed class ClusterIdentity : IDisposable
{
    public const string Name = "herd-cluster";

    private readonly byte[] _publicKey;

    public ClusterIdentity(ClusterKey key)
    {
        using var pair = KeyPair(key);
        _publicKey = pair.ExportSubjectPublicKeyInfo();
        var request = new CertificateRequest($"CN={Name}", pair, HashAlgorithmName.SHA256);

        // The validity is unlimited: a process with the secret can always make a certificate, and clocks may differ.
        using var made = request.CreateSelfSigned(
            DateTimeOffset.UnixEpoch, new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>True for the cluster's certificate. The handshake proves that its holder has the key.</summary>
    public bool IsOurs(X509Certificate? certificate) =>
        certificate is X509Certificate2 { PublicKey: var shown }
            && shown.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_publicKey);

    /// <summary>The options of connections to other processes.</summary>
    public SslClientAuthenticationOptions ForClients() => new()
    {
        TargetHost = Name,
        ClientCertificates = [Certificate],
        RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate),
    };

    /// <summary>The options of connections from other processes.</summary>
    public HttpsConnectionAdapterOptions ForServers() => new()
    {
        ServerCertificate = Certificate,
        ClientCertificateMode = ClientCertificateMode.RequireCertificate,
        ClientCertificateValidation = (certificate, _, _) => IsOurs(certificate),
    };

    public void Dispose() => Certificate.Dispose();

    private static ECDsa KeyPair(ClusterKey key)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return ECDsa.Create(
                    new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = key.Identity(attempt) });
            }
            catch (CryptographicException) when (attempt < 8)
            {
                // One number in four billion is not a valid key. The next one will be.
            }
        }
    }
}
